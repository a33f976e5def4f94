#!/usr/bin/env bash
# Stop the Slurm that start.sh brought up, and remove its state and configuration.
set -u
folder=${1:-/var/tmp/hgnpipe-slurm}
mark="# written by hgnpipe's tests"
grep -qs "$mark" /etc/slurm/slurm.conf || exit 0 # not ours, or not there

scancel --user=root 2>/dev/null
sleep 1
for name in slurmd slurmctld munged; do
    pid=$(cat "$folder/pid/$name" 2>/dev/null) || continue
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || continue # another by now
    kill "$pid"
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
done
rm -rf /etc/slurm/slurm.conf /etc/slurm/gres.conf "$folder"
exit 0
