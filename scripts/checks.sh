# What the tests of the scripts have in common; sourced, not run. Needs $folder, a folder of its own, and $DRYROLL.

scenario=$root/scenarios/tune.toml
grid='--versions all --batch-pct 5,10,20,50 --max-consecutive-failures 1..3'
shards=6

failed() {
    echo "FAILED: $*" >&2
    exit 1
}

# make NAME REPLICATES: the manifest of a sweep, and in NAME/single what one process makes of it.
make() {
    mkdir -p "$folder/$1/single"
    # shellcheck disable=SC2086 # The grid is words.
    "$DRYROLL" sweep "$scenario" $grid --replicates "$2" --plan "$folder/$1/m.json" --shards $shards
    # shellcheck disable=SC2086
    "$DRYROLL" sweep "$scenario" $grid --replicates "$2" --quiet --report "$folder/$1/single/report.json" \
        --cells "$folder/$1/single/cells.csv" --runs "$folder/$1/single/runs.parquet"
}

# same NAME: the merged files in NAME are the single process's, byte for byte.
same() {
    for file in report.json cells.csv runs.parquet; do
        cmp "$folder/$1/$file" "$folder/$1/single/$file" || failed "$1: $file differs from the single process's"
        echo "same: $1/$file, $(wc -c <"$folder/$1/$file") bytes"
    done
}

# under_way NAME SHARD: waits until the shard has begun and has some of its work on disk.
under_way() {
    partial=$folder/$1/m.json.shard-$2-of-$shards.partial
    for _ in $(seq 3000); do
        [ "$(stat -c %s "$partial" 2>/dev/null || echo 0)" -gt 100000 ] && return 0
        sleep 0.01
    done
    failed "shard $2 did not begin"
}

# missing NAME SHARD: merge names this shard and no other, with the command that runs it, and exits with 1.
missing() {
    code=0
    said=$("$DRYROLL" merge --manifest "$folder/$1/m.json" --report "$folder/$1/report.json" 2>&1) || code=$?
    echo "$said"
    [ $code = 1 ] || failed "merge without shard $2 exits with $code"
    named=$(echo "$said" | grep -o -- '--shard .*') || failed "merge names no shard"
    [ "$named" = "--shard $2/$shards" ] || failed "merge names $named, not $2/$shards alone"
    echo "$said" | grep -qF "dryroll sweep --manifest $folder/$1/m.json --shard $2/$shards" || failed "no command"
    [ ! -e "$folder/$1/report.json" ] || failed "merge wrote a report without shard $2"
}
