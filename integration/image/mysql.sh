#!/usr/bin/env bash
#
# Builds the local Docker image ttpstore-mysql:debian: a MySQL server from
# Debian packages, for machines that reach a Debian mirror but no container
# registry. Does nothing when the image exists already.
#
# The image understands the part of the official mysql image's contract that
# the tests use: MYSQL_ROOT_PASSWORD sets the password of root, the data live
# in /var/lib/mysql, arguments are passed on to mysqld.
set -euo pipefail

readonly image=ttpstore-mysql:debian
readonly entrypoint=/usr/local/bin/ttpstore-mysql

# Only unstable carries Oracle's MySQL; Debian's releases have MariaDB.
readonly suite=unstable

work=

say() { printf 'mysql.sh: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# as_root runs one command as root. Only what needs root runs as root, so
# that docker sees the caller's own environment. sudo drops the proxy
# settings, therefore they are handed over by hand.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n env ${http_proxy:+http_proxy="$http_proxy"} \
            ${https_proxy:+https_proxy="$https_proxy"} \
            ${no_proxy:+no_proxy="$no_proxy"} "$@"
    fi
}

require_docker() {
    command -v docker >/dev/null || die "the docker command is missing: install the Docker client"
    docker info >/dev/null 2>&1 || die "docker does not answer: start it, or set DOCKER_HOST"
}

require_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && return
    die "debootstrap needs root: run this script as root, or allow sudo without a password"
}

# require_debootstrap also looks where root's programs live, since an
# ordinary user's PATH often leaves sbin out.
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

# mirror prints the Debian archive this machine itself installs from, or
# nothing when it has none that debootstrap can use (no apt, another
# distribution, no package lists). Origin and label are what the archive says
# about itself, so neither third parties nor -security can match; the codename
# keeps -updates and -backports out.
mirror() {
    command -v apt-get >/dev/null || return 0
    local codename
    codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") || codename=
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
    as_root debootstrap --variant=minbase "$suite" "$root" ${from:+"$from"} >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "debootstrap failed"; }
}

# in_root runs one command in the new system and shows what it printed only
# when it failed.
in_root() {
    local root=$1
    shift
    as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "failed in the new system: $*"; }
}

install_mysql() {
    local root=$1
    say "installing mysql-server-core"
    # Mirrors of unstable may lag behind the date that the Release file allows.
    in_root "$root" apt-get -q -o Acquire::Check-Valid-Until=false update
    in_root "$root" apt-get -q install -y --no-install-recommends mysql-server-core mysql-client-core
    in_root "$root" apt-get -q clean
    in_root "$root" sh -c 'rm -rf /var/lib/apt/lists/* /var/lib/mysql && mkdir -p /var/lib/mysql'
}

write_entrypoint() {
    local root=$1
    as_root tee "$root$entrypoint" >/dev/null <<'SCRIPT'
#!/bin/sh
# Initialises the data directory when it is empty, then becomes the server.
set -eu

: "${MYSQL_ROOT_PASSWORD:?set MYSQL_ROOT_PASSWORD to the password root shall have}"

# A backslash escapes in MySQL's strings, so it is doubled like the quote.
password=$(printf '%s' "$MYSQL_ROOT_PASSWORD" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")
unset MYSQL_ROOT_PASSWORD

mkdir -p /var/lib/mysql-files /run/mysqld
if [ ! -d /var/lib/mysql/mysql ]; then
    mysqld --initialize-insecure --user=root
fi

# The server runs this file before it accepts the first connection, so nobody
# ever meets a root without a password.
umask 077
cat >/tmp/init.sql <<SQL
ALTER USER root@localhost IDENTIFIED WITH caching_sha2_password BY '$password';
CREATE USER IF NOT EXISTS root@'%';
ALTER USER root@'%' IDENTIFIED WITH caching_sha2_password BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
umask 022

exec mysqld --user=root --mysqlx=OFF --socket=/tmp/mysql.sock --init-file=/tmp/init.sql "$@"
SCRIPT
    as_root chmod 0755 "$root$entrypoint"
}

import_image() {
    local root=$1
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
    require_docker
    if docker image inspect "$image" >/dev/null 2>&1; then
        say "$image exists"
        return
    fi
    require_root
    require_debootstrap

    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d)
    bootstrap "$work/system"
    install_mysql "$work/system"
    write_entrypoint "$work/system"
    import_image "$work/system"
    say "built $image in $SECONDS s"
}

main "$@"
