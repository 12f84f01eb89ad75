#!/usr/bin/env bash
# A real Slurm of one node for the tests marked `slurm`: accounting, the partitions cpu and gpu, two
# stand-in GPUs. For a Debian container or machine of its own: needs root, installs packages, writes
# /etc/slurm; no systemd, no cgroup, everything on the loopback address.
#
#   start_slurm.sh start | stop | remove | restart_controller
#
# `remove` also uninstalls what `start` installed: clients without a controller make every call of Snakemake wait for it.
set -euo pipefail

STATE=${SLURM_TEST_STATE:-/var/lib/slurm-test}
NODE=$(hostname -s)
PACKAGES=(slurm-wlm slurmdbd munge mariadb-server)
DATABASE=/run/mysqld/mysqld.sock

launch() { # NAME COMMAND...: a daemon of which stop knows the process
  local name=$1
  shift
  setsid "$@" >"$STATE/$name.log" 2>&1 </dev/null &
  echo $! >"$STATE/$name.pid"
}

until_answers() { # COMMAND...
  for _ in $(seq 100); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.3
  done
  echo "no answer to: $* (see $STATE/*.log)" >&2
  exit 1
}

write_configuration() {
  if [ -e /etc/slurm/slurm.conf ] && ! grep -q '^ClusterName=test$' /etc/slurm/slurm.conf; then
    echo "/etc/slurm holds another cluster's configuration; nothing was changed" >&2
    exit 1
  fi
  mkdir -p /etc/slurm "$STATE/controller" "$STATE/node"
  # Jobs see CUDA_VISIBLE_DEVICES only where each GPU is a file of its own.
  for gpu in 0 1; do
    [ -e "$STATE/gpu$gpu" ] || mknod "$STATE/gpu$gpu" c 1 3
  done
  cat >/etc/slurm/gres.conf <<CONF
NodeName=$NODE Name=gpu File=$STATE/gpu[0-1]
CONF
  echo "CgroupAutomount=no" >/etc/slurm/cgroup.conf
  cat >/etc/slurm/slurmdbd.conf <<CONF
DbdHost=localhost
DbdAddr=127.0.0.1
SlurmUser=root
StorageType=accounting_storage/mysql
StorageUser=slurm
StoragePass=slurm
PidFile=$STATE/slurmdbd.own
CONF
  chmod 600 /etc/slurm/slurmdbd.conf
  # The node claims more than there is: jobs of a test are small, whatever they ask for.
  cat >/etc/slurm/slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$NODE(127.0.0.1)
SlurmUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$STATE/controller
SlurmdSpoolDir=$STATE/node
SlurmctldPidFile=$STATE/slurmctld.own
SlurmdPidFile=$STATE/slurmd.own
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
MinJobAge=600
MailProg=/bin/true
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
GresTypes=gpu
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=16 RealMemory=128000 Gres=gpu:2
PartitionName=cpu Nodes=$NODE Default=YES
PartitionName=gpu Nodes=$NODE
CONF
}

start_munge() {
  [ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1k count=1 status=none
  install -d -o munge -g munge /run/munge
  chown munge:munge /etc/munge/munge.key
  chmod 400 /etc/munge/munge.key
  launch munged setpriv --reuid=munge --regid=munge --clear-groups munged --foreground
  until_answers munge -n
}

start_accounting() {
  install -d -o mysql -g mysql "$(dirname $DATABASE)" "$STATE/database"
  [ -d "$STATE/database/mysql" ] ||
    mariadb-install-db --user=mysql --datadir="$STATE/database" --skip-test-db >/dev/null
  launch mariadbd mariadbd --no-defaults --user=mysql --datadir="$STATE/database" \
    --socket=$DATABASE --skip-networking --innodb-buffer-pool-size=64M
  until_answers mariadb-admin --no-defaults --socket=$DATABASE ping
  mariadb --no-defaults --socket=$DATABASE --execute "
    CREATE DATABASE IF NOT EXISTS slurm_acct_db;
    CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED BY 'slurm';
    GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
  launch slurmdbd slurmdbd -D
  until_answers sacctmgr --noheader list cluster
  # The account that slurm/profile.yaml names. What exists already is no error.
  sacctmgr --immediate add cluster test >/dev/null || true
  sacctmgr --immediate add account default >/dev/null || true
  sacctmgr --immediate add user root account=default >/dev/null || true
}

start_controller() {
  launch slurmctld slurmctld -D
  until_answers scontrol ping
}

install_missing() { # and note them: what was here before stays when `remove` goes
  for package in "${PACKAGES[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || echo "$package"
  done >>"$STATE/installed"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}" >/dev/null
}

start() {
  mkdir -p "$STATE"
  write_configuration
  install_missing
  start_munge
  start_accounting
  start_controller
  launch slurmd slurmd -D -N "$NODE"
  until_answers srun --immediate=5 --partition=gpu --gpus=1 true
  sinfo
}

end() { # NAME
  [ -s "$STATE/$1.pid" ] || return 0
  kill "$(cat "$STATE/$1.pid")" 2>/dev/null || true
  tail --pid="$(cat "$STATE/$1.pid")" -f /dev/null
  rm "$STATE/$1.pid"
}

stop() {
  for daemon in slurmd slurmctld slurmdbd mariadbd munged; do
    end $daemon
  done
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  restart_controller)
    end slurmctld
    sleep 5
    start_controller
    ;;
  remove)
    stop
    if [ -s "$STATE/installed" ]; then
      DEBIAN_FRONTEND=noninteractive xargs --arg-file="$STATE/installed" \
        apt-get purge -y -qq --autoremove >/dev/null
    fi
    if grep -qs '^ClusterName=test$' /etc/slurm/slurm.conf; then rm -rf /etc/slurm; fi
    rm -rf "$STATE"
    ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
