#!/bin/sh
# docker-builder.sh IMAGE STANDIN
#
# Makes sure that docker/Dockerfile has a Go image to build with, and prints its name. Where IMAGE is there or can be
# pulled, that is IMAGE. Elsewhere a stand-in is imported under the name STANDIN: this machine's Go, a static shell
# (busybox) and the CA certificates, which is all that the Dockerfile's build stage uses. A stand-in that is there
# already is kept while it holds this machine's version of Go. The name differs from IMAGE on purpose: a stand-in
# under that name would hide the real image once it can be had.
set -eu
image=$1 standin=$2

say() { echo "$*" >&2; }

docker info >/dev/null 2>&1 || { say "the Docker daemon does not answer: start it, or add yourself to the group docker"; exit 1; }
if docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1; then
	echo "$image"
	exit 0
fi

goroot=$(go env GOROOT) version=$(GOTOOLCHAIN=local go env GOVERSION)
had=$(docker image inspect -f '{{.Id}} {{index .Config.Labels "hawser.go"}}' "$standin" 2>/dev/null) || had=
if [ "${had#* }" = "$version" ]; then
	echo "$standin"
	exit 0
fi

if [ ! -x "${BUSYBOX:=/bin/busybox}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "installing: busybox-static, the shell of the stand-in"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends busybox-static >/dev/null 2>&1 ||
		{ apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends busybox-static >/dev/null; }
fi
[ -x "$BUSYBOX" ] || { say "a static busybox is missing: apt-get install busybox-static, or set BUSYBOX to one"; exit 1; }

certificates=
for f in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
	[ -r "$f" ] && certificates=$f && break
done
[ -n "$certificates" ] || { say "no CA certificates are found: apt-get install ca-certificates"; exit 1; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/usr/local/go" "$root/tmp" "$root/go/bin"
chmod 755 "$root"
chmod 1777 "$root/tmp"
cp "$BUSYBOX" "$root/bin/busybox"
for applet in $("$BUSYBOX" --list); do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cp -L "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
# Without tests and the sources of Go's own tools: the fewer files, the quicker is each step of a build.
tar -C "$goroot" -ch --exclude='*_test.go' --exclude=testdata --exclude=src/cmd bin lib pkg src go.env VERSION |
	tar -C "$root/usr/local/go" -x

tar -C "$root" -c . | docker import \
	-c 'ENV PATH=/usr/local/go/bin:/go/bin:/bin GOPATH=/go GOTOOLCHAIN=local HOME=/root' \
	-c 'WORKDIR /go' -c "LABEL hawser.go=$version" - "$standin" >/dev/null
[ -z "$had" ] || docker image rm "${had% *}" >/dev/null 2>&1 || true # the one before, unless a container uses it
docker run --rm --network none "$standin" go version >/dev/null || { docker image rm "$standin" >/dev/null; say "the stand-in does not run: is $BUSYBOX static, is Go built for this machine?"; exit 1; }
say "no image $image could be had: imported $standin from $goroot"
echo "$standin"
