#!/usr/bin/env bash
#
# Builds a Docker image of a Vitess cluster in one container from the Go module
# proxy and Debian packages, and prints its name. The image is debian.sh's image
# of MySQL with vtcombo, Vitess's program that runs vtgate and all tablets in one
# process. See vitess-entrypoint.sh for its environment variables.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

readonly version=${1:?usage: vitess.sh VERSION}
readonly entrypoint=/usr/local/bin/ttpstore-vitess

container=

cleanup() {
    [ -z "$container" ] || docker rm -f "$container" >/dev/null
    [ -z "$work" ] || rm -rf "$work"
}

# build_vtcombo builds in the module's own directory, so that its go.mod
# determines the versions of its dependencies.
build_vtcombo() {
    local dir
    say "building vtcombo $version"
    dir=$(cd "$work" && GOFLAGS=-modcacherw go mod download -json "vitess.io/vitess@$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
    [ -n "$dir" ] || die "the module proxy has no Vitess $version"
    CGO_ENABLED=0 quietly go -C "$dir" build -ldflags='-s -w' -o "$work/vtcombo" ./go/cmd/vtcombo
}

make_image() {
    local base=$1 image=$2
    container=$(docker create "$base")
    docker cp -q "$work/vtcombo" "$container:/usr/local/bin/"
    docker cp -q "$here/vitess-entrypoint.sh" "$container:$entrypoint"
    docker commit --change "ENTRYPOINT [\"$entrypoint\"]" "$container" "$image" >/dev/null
}

main() {
    local base image
    require_docker
    base=$("$here/debian.sh" mysql unstable)
    image=ttpstore-vitess:$version-$(content "$here"/vitess{,-entrypoint}.sh <<<"$base")
    if ! docker image inspect "$image" >/dev/null 2>&1; then
        with_workspace
        build_vtcombo
        make_image "$base" "$image"
        say "built $image in $SECONDS s"
    fi
    printf '%s\n' "$image"
}

main
