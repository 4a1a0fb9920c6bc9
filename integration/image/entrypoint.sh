#!/bin/sh
# The entrypoint of an image that debian.sh has built: initializes the data
# directory when it is empty, then becomes the server.
set -eu

: "${MYSQL_ROOT_PASSWORD:?set MYSQL_ROOT_PASSWORD to the password of root}"

# A backslash escapes in MySQL's strings, so it is doubled like the quote.
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

# The server runs this file before it accepts the first connection, so nobody
# ever meets a root without a password.
umask 077
cat >/tmp/init.sql <<SQL
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
