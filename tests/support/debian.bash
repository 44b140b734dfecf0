# For scripts that install what Debian has; to be sourced.
# shellcheck shell=bash

debian_mirror() { # the one that this machine is set up with
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" { print $2; found = 1; exit } END { exit !found }'
}

install_packages() { # install_packages LOG PACKAGE...
    local log=$1
    shift
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1 ||
        fail "apt-get failed: $(tail -n 5 "$log")"
}

two_at_a_time() { # two_at_a_time FUNCTION ARGUMENT...
    local function=$1 running=0 failed=0 argument
    shift
    for argument in "$@"; do
        if ((running == 2)); then
            wait -n || failed=1
            running=1
        fi
        "$function" "$argument" &
        running=$((running + 1))
    done
    while ((running)); do
        wait -n || failed=1
        running=$((running - 1))
    done
    return $failed
}
