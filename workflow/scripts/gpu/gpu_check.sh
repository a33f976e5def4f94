#!/usr/bin/env bash
# What a GPU does with this project, in steps whose time is bounded and whose results
# are kept if a later one fails. From the folder of the repository, or another one where
# results/ is to be made; a second call goes on where the first one stopped.
#
#     workflow/scripts/gpu/gpu_check.sh [SECONDS]
#
# Needs Python with this package, or PYTHONPATH=src and its dependencies; no Snakemake.
# For a try on a processor: PRESET=smoke DEVICE=cpu workflow/scripts/gpu/gpu_check.sh
set -uo pipefail

seconds=${1:-570} device=${DEVICE:-auto} preset=${PRESET:-paper} out=results/gpu
[ "$preset" = paper ] && few=laptop || few=$preset # sizes where many rows are compared
config=${CONFIG:-config.yaml} together=${TOGETHER:-4}
timed=${TIMED:-hgn_leapfrog hgn_vector hnn_conv nhf_2}
first=${FIRST:-hgn_leapfrog}
others=${OTHERS-hgn_vector hgn_determ hgn_euler hgn_no_f_psi hnn_conv hnn}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$config" ] || config="$here/../../../config.yaml"
export PYTHONPATH="$here/../../../src${PYTHONPATH:+:$PYTHONPATH}" OMP_NUM_THREADS=1
mkdir -p "$out"

left() { echo $((seconds - SECONDS)); }
step() { # its bound in seconds, its name, its words
    local bound=$1 name=$2 start=$SECONDS
    shift 2
    [ "$(left)" -gt 5 ] || { echo "=== $name: no time left"; return; }
    [ "$bound" -lt "$(left)" ] || bound=$(left)
    [ ! -e "$out/$name.done" ] || { echo "=== $name: done before"; return; }
    echo "=== $name, at most $bound s"
    timeout -k 10 "$bound" python3 "$here/$@" && touch "$out/$name.done"
    echo "--- $name: exit code $?, $((SECONDS - start)) s"
}

share() { # one GPU among processes that run at the same time, where it can be had
    [ -z "${CUDA_MPS_PIPE_DIRECTORY:-}" ] || return 0 # it is shared already
    command -v nvidia-cuda-mps-control >/dev/null || return
    CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d)
    export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY=$CUDA_MPS_PIPE_DIRECTORY
    nvidia-cuda-mps-control -d || return
    trap 'echo quit | nvidia-cuda-mps-control' EXIT
    timeout 60 python3 -c "import torch; torch.ones(1, device='cuda').item()" && return
    echo "=== without MPS: it does not work here"
    echo quit | nvidia-cuda-mps-control
    trap - EXIT
    unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
}

same=(--device "$device" --config_file "$config")
# The data of the trainings meanwhile.
python3 "$here/gpu_trainings.py" --rows --seconds "$(left)" --preset "$preset" \
    "${same[@]}" >"$out/data.txt" 2>&1 &
data=$!
step 150 agreement gpu_agreement.py --rows --preset "$few" \
    --output "$out/agreement.csv" "${same[@]}"
# shellcheck disable=SC2086
step 120 speed gpu_speed.py --preset "$preset" --output "$out/speed.csv" \
    --rows $timed "${same[@]}"
wait "$data"
[ "$device" = cpu ] || share
for rows in "$first" "$others"; do
    [ -n "$rows" ] && [ "$(left)" -gt 30 ] || continue
    echo "=== trainings of $rows, $together at once"
    # shellcheck disable=SC2086
    python3 "$here/gpu_trainings.py" --rows $rows --seconds $(($(left) - 25)) \
        --preset "$preset" --together "$together" "${same[@]}"
done
echo "Results: $out, results/$preset. $SECONDS s."
