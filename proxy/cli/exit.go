package cli

import (
	"errors"

	"hawser/configs"
)

// What the programs exit with.
const (
	StatusFine   = 0
	StatusFailed = 1
	StatusUsage  = 2 // wrong usage or configuration
)

// UsageError is wrong usage that a command finds out by itself.
type UsageError struct {
	Err error
}

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// ExitError ends a command with a status of its own choice. Without Err nothing is printed: the command has said it.
type ExitError struct {
	Status int
	Err    error
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitStatus says what a program exits with after an error; nil is fine.
func ExitStatus(err error) int {
	var exit *ExitError
	var usage *UsageError
	var config *configs.Error
	switch {
	case err == nil:
		return StatusFine
	case errors.As(err, &exit):
		return exit.Status
	case errors.As(err, &usage), errors.As(err, &config):
		return StatusUsage
	}
	return StatusFailed
}
