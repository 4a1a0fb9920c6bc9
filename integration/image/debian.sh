#!/usr/bin/env bash
#
# Builds a Docker image of a database server from Debian packages, for machines
# that reach a Debian mirror but no container registry, and prints its name:
#
#     debian.sh mysql unstable      # Debian's releases have no MySQL
#     debian.sh mariadb bookworm
#
# The image's tag contains a hash of these scripts, so that an existing image
# is reused until they change.
#
# The image supports what the tests use of the official images' interface:
# MYSQL_ROOT_PASSWORD sets the password of root, the data are in
# /var/lib/mysql, and arguments are passed on to the server.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

readonly usage='usage: debian.sh mysql|mariadb SUITE'
readonly server=${1:?$usage} suite=${2:?$usage}
readonly entrypoint=/usr/local/bin/ttpstore-server

# as_root runs one command as root. The rest of the script does not run as
# root, so that docker sees the caller's environment. sudo drops the proxy
# settings, so that they are passed explicitly.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n env ${http_proxy:+http_proxy="$http_proxy"} \
            ${https_proxy:+https_proxy="$https_proxy"} \
            ${no_proxy:+no_proxy="$no_proxy"} "$@"
    fi
}

require_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && return
    die "debootstrap needs root: run this script as root, or allow sudo without a password"
}

# require_debootstrap also searches the sbin directories, which an ordinary
# user's PATH often lacks.
require_debootstrap() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v debootstrap >/dev/null && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "installing debootstrap"
        { apt-get -q update && apt-get -q install -y --no-install-recommends \
            debootstrap debian-archive-keyring; } >&2 && return
    fi
    die "debootstrap is missing: install the packages debootstrap and debian-archive-keyring"
}

# mirror prints the URL of the Debian archive that this machine installs from,
# or nothing if debootstrap cannot use it (no apt, another distribution, no
# package lists). Origin and label exclude third parties and -security; the
# codename excludes -updates and -backports.
mirror() {
    command -v apt-get >/dev/null || return 0
    local codename
    codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") || codename=
    # shellcheck disable=SC2016 # apt-get's variables
    apt-get indextargets --format '$(CODENAME) $(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null |
        awk -v want="$codename" '
            $2 !~ /^(https?|file):/ { next }
            $1 ~ /-/ { next }
            $1 == want { best = $2; exit }
            other == "" { other = $2 }
            END { print best != "" ? best : other }' || true
}

cleanup() {
    [ -n "$work" ] || return 0
    # debootstrap unmounts these itself unless it was interrupted.
    for mount in proc sys; do
        if mountpoint -q "$work/system/$mount" 2>/dev/null; then
            as_root umount "$work/system/$mount" || true
        fi
    done
    as_root rm -rf --one-file-system "$work"
}

bootstrap() {
    local root=$1 from
    from=$(mirror)
    say "debootstrap of $suite from ${from:-its default mirror}"
    quietly as_root debootstrap --variant=minbase "$suite" "$root" ${from:+"$from"}
}

in_root() {
    local root=$1
    shift
    quietly as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

install_server() {
    local root=$1
    say "installing $server-server-core"
    # Mirrors of unstable may lag behind the date that the Release file allows.
    in_root "$root" apt-get -q -o Acquire::Check-Valid-Until=false update
    in_root "$root" apt-get -q install -y --no-install-recommends "$server-server-core" "$server-client-core"
    in_root "$root" apt-get -q clean
    in_root "$root" sh -c 'rm -rf /var/lib/apt/lists/* /var/lib/mysql && mkdir -p /var/lib/mysql'
    as_root install -m 0755 "$here/entrypoint.sh" "$root$entrypoint"
}

import_image() {
    local root=$1 image=$2
    say "importing $image"
    as_root tar -C "$root" --one-file-system --numeric-owner -c . |
        docker import \
            --change "ENTRYPOINT [\"$entrypoint\"]" \
            --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
            --change 'EXPOSE 3306' \
            --change 'VOLUME /var/lib/mysql' \
            - "$image" >/dev/null
}

main() {
    local image
    image=ttpstore-$server:$suite-$(content "$here"/{lib,debian,entrypoint}.sh </dev/null)
    require_docker
    if ! docker image inspect "$image" >/dev/null 2>&1; then
        require_root
        require_debootstrap
        with_workspace
        bootstrap "$work/system"
        install_server "$work/system"
        import_image "$work/system" "$image"
        say "built $image in $SECONDS s"
    fi
    printf '%s\n' "$image"
}

main
