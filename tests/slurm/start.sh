#!/usr/bin/env bash
# A real Slurm on this one machine, for the tests: munged, slurmctld and slurmd on the
# loopback interface, without systemd, cgroups or a database. The node pretends to have
# more cores and memory than the machine, and GPUs, which are counted and never opened.
#
#     tests/slurm/start.sh [FOLDER]    state and logs, by default /var/tmp/hgnpipe-slurm
#
# Needs root on Debian or Ubuntu. Exit code 2: it cannot be had here, and why.
set -euo pipefail

folder=${1:-/var/tmp/hgnpipe-slurm}
cores=8 memory_mb=64000 gpus=2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mark="# written by hgnpipe's tests"
export PATH=$PATH:/usr/sbin:/sbin

cannot() {
    echo "No Slurm: $*" >&2
    exit 2
}

programs=(munged slurmctld slurmd sbatch)
missing() { for program in "${programs[@]}"; do command -v "$program" >/dev/null || echo "$program"; done; }

[ "$(id -u)" -eq 0 ] || cannot "only root can start it"
! pgrep -x slurmctld >/dev/null || cannot "one is running already"
if [ -e /etc/slurm/slurm.conf ] && ! grep -q "$mark" /etc/slurm/slurm.conf; then
    cannot "/etc/slurm/slurm.conf is not ours"
fi
mkdir -p "$folder"/{ctld,slurmd,log,pid}
if [ -n "$(missing)" ]; then
    command -v apt-get >/dev/null || cannot "no $(missing | xargs), and no apt-get"
    export DEBIAN_FRONTEND=noninteractive
    packages=(munge slurm-client slurmctld slurmd)
    { apt-get update -qq || true; } >"$folder/log/apt.txt" 2>&1
    apt-get install -y -qq --no-install-recommends "${packages[@]}" \
        >>"$folder/log/apt.txt" 2>&1 || cannot "$(tail -n 1 "$folder/log/apt.txt")"
fi

wait_for() { # seconds, command
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || cannot "waited in vain for: $*, see $folder/log"
        sleep 0.1
    done
}

start() { # a daemon in the foreground of nobody; its pid is how stop.sh finds it
    local name=$1
    shift
    setsid nohup "$name" "$@" >"$folder/log/$name.out" 2>&1 </dev/null &
    echo $! >"$folder/pid/$name"
}

host=$(hostname -s)
getent hosts "$host" >/dev/null || echo "127.0.0.1 $host" >>/etc/hosts

mkdir -p /run/munge /var/log/munge /var/lib/munge /etc/munge /etc/slurm
[ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none
chown -R munge: /run/munge /var/log/munge /var/lib/munge /etc/munge
chmod 755 /run/munge && chmod 400 /etc/munge/munge.key
if ! munge -n >/dev/null 2>&1; then
    runuser -u munge -- "$(command -v munged)" --pid-file=/run/munge/munged.pid
    wait_for 10 munge -n
    cp /run/munge/munged.pid "$folder/pid/munged"
fi

cat >/etc/slurm/slurm.conf <<END
$mark
ClusterName=hgnpipe
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/ctld
SlurmdSpoolDir=$folder/slurmd
SlurmctldPidFile=$folder/pid/slurmctld.self
SlurmdPidFile=$folder/pid/slurmd.self
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=512
SlurmdParameters=config_overrides
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,NoShared
OverTimeLimit=0
MinJobAge=300
SlurmdTimeout=30
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/log/jobs.txt
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory_mb Gres=gpu:$gpus State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=1-00:00:00 DefaultTime=01:00:00 State=UP
END
printf "NodeName=$host Name=gpu File=/dev/%s\n" null zero | head -n "$gpus" >/etc/slurm/gres.conf

start slurmctld -D
wait_for 20 sh -c "scontrol ping | grep -q UP"
"$here/node.sh" "$folder"
wait_for 20 sh -c "sinfo -h -o %T | grep -qx idle"
srun --gpus=1 true || cannot "its first job failed, see $folder/log"
sinfo -h -N -o "Slurm node %N: %T, %c cores, %m MB, %G"
