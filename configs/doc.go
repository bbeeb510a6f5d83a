// Package configs holds everything that people write and programs keep: the client's and the server's configuration,
// keys, invites, and the edits that "invite" and "revoke" make.
//
// Configuration comes in layers: default, file, environment, flag; the later wins. yaml.v3 parses, but the walk over
// its nodes is ours (document), because each complaint must name key, value, line and column, or the variable or
// flag that the value came from, and what would be allowed; all complaints of a file are reported at once. Field
// names live in one place, the yaml tags of Client and Server: file, environment and messages are derived from them.
//
// Nothing here reads the process's environment or home by itself: both arrive in a Place, so that tests have their own.
//
// Secrets (private keys, passwords, tokens, invites) are types that hide themselves from fmt, JSON and loggers, also
// as a field of a struct that is printed whole. Only a method with a telling name gives the secret away.
//
// The server's file is edited as text where that is safe, so that comments and layout stay byte for byte; the result
// is parsed and compared before it replaces the file.
package configs
