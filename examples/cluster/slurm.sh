#!/bin/bash
# Links a table in shares, one a task of a Slurm array, and merges the parts when all are there:
#
#     INPUT=articles.parquet OUTPUT=links.parquet PARTS=parts SHARES=16 \
#         LINK_OPTIONS="--group site --id url -k 10" bash examples/cluster/slurm.sh
#
# INPUT, OUTPUT and PARTS lie on a file system that all nodes see. A task that failed can be run again by
# itself: what is there already is left alone, and a task that was killed goes on from what it found.
#
#SBATCH --job-name=grouplink
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=04:00:00
set -eu
: "${INPUT:?names the table}" "${OUTPUT:?names the links}" "${PARTS:?names a folder}" "${SHARES:?is how many}"
LINK_OPTIONS=${LINK_OPTIONS:-}
THREADS=${SLURM_CPUS_PER_TASK:-0}

if [ "${STEP:-}" = merge ]; then
    exec grouplink merge "$PARTS"/*.part -o "$OUTPUT" --threads "$THREADS"
fi
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    part=$PARTS/$SLURM_ARRAY_TASK_ID.part
    if [ -e "$part" ]; then exit 0; fi
    # shellcheck disable=SC2086 # the options are several words
    exec grouplink link "$INPUT" -o "$part" $LINK_OPTIONS --threads "$THREADS" --resume \
        --shard "$SLURM_ARRAY_TASK_ID/$SHARES"
fi

# On the machine that jobs are submitted from.
mkdir -p "$PARTS"
export INPUT OUTPUT PARTS SHARES LINK_OPTIONS
array=$(sbatch --parsable --array="1-$SHARES" --export=ALL "$0")
STEP=merge sbatch --dependency="afterok:$array" --export=ALL "$0"
