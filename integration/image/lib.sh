# Functions shared by the scripts in this directory.
# shellcheck shell=bash

work=

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

require_docker() {
    command -v docker >/dev/null || die "the docker command is missing: install the Docker client"
    docker info >/dev/null 2>&1 || die "docker does not answer: start it, or set DOCKER_HOST"
}

# content prints a short hash of the files and of standard input, for the tag of
# the image that is built from them.
content() {
    cat -- "$@" - | sha256sum | cut -c -12
}

# quietly runs a command and shows the end of its output if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; die "failed: $*"; }
}

# with_workspace creates the directory $work, which the script's cleanup removes
# on exit.
with_workspace() {
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d)
}
