#!/bin/bash
# Starts a MySQL server that is reachable only inside this container, then
# executes a Vitess cluster on it, whose vtgate listens on port 3306. It reads
# these environment variables:
#
#     VITESS_TOPOLOGY   keyspaces, shards and routing rules, a vttest.TopoData as JSON
#     VITESS_DATABASES  the databases of all shards
#     VITESS_SHARDED    the keyspaces that VITESS_VSCHEMA applies to
#     VITESS_VSCHEMA    a vschema as JSON
#
# It passes its arguments on to the MySQL server. vtcombo has no authentication:
# do not expose the port beyond this machine.
set -euo pipefail

: "${VITESS_TOPOLOGY:?}" "${VITESS_DATABASES:?}" "${VITESS_SHARDED:?}" "${VITESS_VSCHEMA:?}"

readonly data=/var/lib/mysql socket=/tmp/mysql.sock

mkdir -p /var/lib/mysql-files /run/mysqld
[ -d $data/mysql ] || mysqld --initialize-insecure --user=root
{
    for user in vt_app vt_appdebug vt_allprivs vt_dba vt_repl vt_filtered; do
        echo "CREATE USER IF NOT EXISTS $user@localhost; GRANT ALL ON *.* TO $user@localhost WITH GRANT OPTION;"
    done
    for database in $VITESS_DATABASES; do
        echo "CREATE DATABASE IF NOT EXISTS \`$database\` CHARACTER SET utf8mb4;"
    done
} >/tmp/init.sql
mysqld --user=root --mysqlx=OFF --socket=$socket --skip-networking --init-file=/tmp/init.sql --secure-file-priv= \
    --gtid-mode=ON --enforce-gtid-consistency=ON --server-id=1 --max-connections=2000 "$@" &
until mysqladmin --socket=$socket ping >/dev/null 2>&1; do
    kill -0 $! # fails, and ends this script, if the server has exited
    sleep 0.2
done

for keyspace in $VITESS_SHARDED; do
    mkdir -p "/vt/schema/$keyspace"
    printf '%s' "$VITESS_VSCHEMA" >"/vt/schema/$keyspace/vschema.json"
done
mkdir -p /vt/data && chown nobody /vt/data

export VTROOT=/vt VTDATAROOT=/vt/data
# Vitess refuses to run as root.
exec setpriv --reuid nobody --regid nogroup --clear-groups vtcombo \
    --json-topo "$VITESS_TOPOLOGY" --schema-dir /vt/schema \
    --mysql-server-bind-address 0.0.0.0 --mysql-server-port 3306 --mysql-server-version 9.7.0-Vitess \
    --mysql-auth-server-impl none \
    --bind-address 127.0.0.1 --port 15000 --grpc-bind-address 127.0.0.1 --grpc-port 15999 \
    --service-map grpc-vtgateservice --db-socket $socket --db-charset utf8mb4 --mycnf-server-id 1 --mycnf-socket-file $socket \
    --tablet-types-to-wait primary --tablet-hostname localhost --foreign-key-mode allow \
    --transaction-mode MULTI --queryserver-config-pool-size 40 --queryserver-config-stream-pool-size 20 \
    --queryserver-config-transaction-cap 40 --queryserver-config-txpool-timeout 30s \
    --queryserver-config-transaction-timeout 300s --queryserver-config-query-timeout 300s \
    --queryserver-config-max-result-size 1000000
