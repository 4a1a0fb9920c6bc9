#!/bin/sh
# The entrypoint of the images that debian.sh builds. Initializes an empty data
# directory, then executes the server.
set -eu

: "${MYSQL_ROOT_PASSWORD:?set MYSQL_ROOT_PASSWORD to the password of root}"

# Backslash is an escape character in MySQL's strings.
password=$(printf '%s' "$MYSQL_ROOT_PASSWORD" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")
unset MYSQL_ROOT_PASSWORD

initialize() {
    if command -v mariadbd >/dev/null; then
        mariadb-install-db --user=root --skip-test-db
    else
        mysqld --initialize-insecure --user=root
    fi
}

mkdir -p /var/lib/mysql-files /run/mysqld
[ -d /var/lib/mysql/mysql ] || initialize

# The server runs this file before it accepts connections, so that root never
# accepts one without a password. The statements are not logged, since a member
# of a group that has transactions of its own cannot join it again.
umask 077
cat >/tmp/init.sql <<SQL
SET sql_log_bin = 0;
ALTER USER root@localhost IDENTIFIED BY '$password';
CREATE USER IF NOT EXISTS root@'%';
ALTER USER root@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
umask 022

set -- --user=root --socket=/tmp/mysql.sock --bind-address='*' --init-file=/tmp/init.sql "$@"
if command -v mariadbd >/dev/null; then
    exec mariadbd "$@"
fi
exec mysqld --mysqlx=OFF "$@"
