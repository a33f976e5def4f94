#!/usr/bin/env bash
# Start the node's daemon of the Slurm that start.sh brought up, or start it again.
set -euo pipefail
folder=${1:-/var/tmp/hgnpipe-slurm}
setsid nohup /usr/sbin/slurmd -D -N "$(hostname -s)" >"$folder/log/slurmd.out" 2>&1 </dev/null &
echo $! >"$folder/pid/slurmd"
