"""The command ``hgnpipe``: play a trained model, and begin something of one's own.

    hgnpipe rollout results/laptop/runs/pendulum/hgn_vector/seed0/model.safetensors \
        --speed -1 --steps 120 -o past.gif

What is imported is what a command needs: ``--help`` answers at once.
"""
