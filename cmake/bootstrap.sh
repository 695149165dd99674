#!/usr/bin/env bash
# From a fresh clone to a working build. Each subcommand does what it needs of those above it, and
# little the second time.
#
#     bash cmake/bootstrap.sh deps      installs what is missing (apt-get), and a Python environment
#     bash cmake/bootstrap.sh build     configures and compiles
#     bash cmake/bootstrap.sh demo      links a sample of words and shows some of their nearest ones
#     bash cmake/bootstrap.sh test      runs all tests
#     bash cmake/bootstrap.sh python    builds the Python package as a wheel and runs its tests
#     bash cmake/bootstrap.sh spark     the same for its part that runs on Spark; installs PySpark and a Java
#     bash cmake/bootstrap.sh format    checks the formatting of all C++ files; --fix mends it
#     bash cmake/bootstrap.sh tidy      runs clang-tidy over all C++ files
#     bash cmake/bootstrap.sh clang     installs what the targets fuzz and tsan take, see tests/README.md
#
# Environment:
#     GROUPLINK_BUILD        the build folder; default: build/ beside cmake/
#     GROUPLINK_CMAKE_ARGS   more arguments for CMake, separated by spaces
#     GROUPLINK_OWN_FAISS    set where FAISS comes from elsewhere than the package; see GROUPLINK_CMAKE_ARGS
#     JOBS                   compilers and tests at once; default: one a core
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "${GROUPLINK_BUILD:-$root/build}"
build=$(cd "${GROUPLINK_BUILD:-$root/build}" && pwd)
venv=$build/venv
jobs=${JOBS:-$(nproc 2>/dev/null || sysctl -n hw.ncpu)}
export CCACHE_DIR=${CCACHE_DIR:-$build/ccache}

say() { printf '%s\n' "-- $*"; }
fail() {
    printf '%s\n' "bootstrap: $*" >&2
    exit 1
}

# step WHAT COMMAND...: a failure ends the script with a line that says what failed.
step() {
    local what=$1
    shift
    say "$what"
    "$@" || fail "$what: failed (exit $?): $*"
}

# quiet_step WHAT COMMAND...: the same, its output shown only when it fails.
quiet_step() {
    local what=$1 log=$build/bootstrap.log
    shift
    say "$what"
    "$@" >"$log" 2>&1 || {
        local code=$?
        cat "$log" >&2
        fail "$what: failed (exit $code): $*"
    }
}

have() { command -v "$1" >/dev/null 2>&1; }

# ---------------------------------------------------------------------------------- packages, by apt

installed() { [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

cmake_is_new_enough() {
    have cmake && [ "$(printf '3.22\n%s\n' "$(cmake --version | sed -n '1s/.*version //p')" | sort -V | head -n 1)" = 3.22 ]
}

missing_packages() {
    have "${CXX:-c++}" || echo g++
    cmake_is_new_enough || echo cmake
    have ninja || echo ninja-build
    have ccache || echo ccache
    have make || echo make
    have pkg-config || echo pkg-config
    local package
    [ -n "${GROUPLINK_OWN_FAISS:-}" ] || installed libfaiss-dev || echo libfaiss-dev
    for package in libopenblas-dev libfmt-dev libsqlite3-dev nlohmann-json3-dev libcli11-dev doctest-dev; do
        installed $package || echo $package
    done
    have_python || printf '%s\n' python3 python3-venv
}

apt_install() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || return 1
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n)  # nobody is there to type a password
        "${as_root[@]}" true 2>/dev/null || return 1
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300
               -o Acquire::Retries=3)
    quiet_step "apt-get update" "${apt[@]}" update
    # Ubuntu does not have it in every release.
    if [[ " $* " == *" libfaiss-dev "* ]] && [ -z "$(apt-cache madison libfaiss-dev)" ]; then
        fail "this release packages no FAISS (libfaiss-dev): install it from conda (libfaiss) or source, then set" \
            "GROUPLINK_CMAKE_ARGS=-Dfaiss_ROOT=<its prefix> and GROUPLINK_OWN_FAISS=1"
    fi
    quiet_step "apt-get install $*" "${apt[@]}" install -y --no-install-recommends "$@"
}

# ensure_packages PACKAGE...: installs them; false where that cannot be done.
ensure_packages() {
    [ $# -gt 0 ] || return 0
    apt_install "$@" && return 0
    say "missing: $*"
    say "to install them: sudo apt-get update && sudo apt-get install -y $*"
    return 1
}

advise() {
    cat >&2 <<'END'
bootstrap: something that grouplink needs is missing, and this script installs packages on Debian and
Ubuntu only. It takes a C++20 compiler, CMake 3.22 or newer, Python 3.9 or newer, FAISS, OpenBLAS (or
another BLAS), fmt, SQLite, nlohmann-json, CLI11 and doctest; Ninja and ccache where they are. By name:

  Fedora    dnf install gcc-c++ cmake ninja-build ccache make pkgconf-pkg-config python3 openblas-devel
            fmt-devel sqlite-devel json-devel cli11-devel doctest-devel; FAISS: faiss-devel, else conda or source
  Arch      pacman -S base-devel cmake ninja ccache python openblas fmt sqlite nlohmann-json cli11 doctest
            FAISS: faiss of the AUR, else conda or source
  macOS     brew install cmake ninja ccache pkg-config python faiss libomp openblas fmt sqlite
            nlohmann-json cli11 doctest; then add to GROUPLINK_CMAKE_ARGS
            -DOpenMP_ROOT=$(brew --prefix libomp) -DCMAKE_PREFIX_PATH=$(brew --prefix openblas)
  conda     conda install -c conda-forge cxx-compiler cmake ninja ccache make pkg-config python libfaiss
            openblas fmt sqlite nlohmann_json cli11 doctest; then GROUPLINK_CMAKE_ARGS=-DCMAKE_PREFIX_PATH=$CONDA_PREFIX

Then run this again.
END
    exit 1
}

# -------------------------------------------------------------------------------------------- Python

# The first Python that runs (a pyenv shim may not), is new enough and can make an environment.
have_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10; do
        if [ -z "$candidate" ] || ! have "$candidate"; then continue; fi
        "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip' >/dev/null 2>&1; then
            make_venv=("$candidate" -m venv)
        elif "$candidate" -c 'import virtualenv' >/dev/null 2>&1; then
            make_venv=("$candidate" -m virtualenv -q)
        else
            continue
        fi
        return 0
    done
    return 1
}

python_environment() {
    local wanted=$root/cmake/requirements.txt
    if cmp -s "$wanted" "$venv/requirements.txt" && "$venv/bin/python" -c 'import pyarrow' >/dev/null 2>&1; then
        return
    fi
    have_python || fail "no Python 3.9 or newer that can make a virtual environment: install python3 and python3-venv"
    rm -rf "$venv"
    quiet_step "Python environment in $venv" "${make_venv[@]}" "$venv"
    quiet_step "pip install: pyarrow, numpy, scipy" \
        "$venv/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: -r "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# What tests ask besides: the packages of the examples, the shells, and what reads manual pages. Without
# them their tests are left out, which those say.
test_tools() {
    local wanted=$root/examples/requirements.txt missing=() package
    if ! cmp -s "$wanted" "$venv/examples.txt"; then
        quiet_step "pip install: what the examples use" \
            "$venv/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: -r "$wanted" \
            -c "$root/cmake/requirements.txt"
        cp "$wanted" "$venv/examples.txt"
    fi
    have apt-get || return 0
    for package in zsh fish mandoc; do
        have $package || missing+=("$package")
    done
    have groff || missing+=(groff-base)
    ensure_packages "${missing[@]}" || say "their tests are left out"
}

# ------------------------------------------------------------------------------------ the subcommands

deps() {
    if have apt-get; then
        local missing
        mapfile -t missing < <(missing_packages)
        # Without the right to install, what is elsewhere (conda, /usr/local) may do: CMake will tell.
        ensure_packages "${missing[@]}" || cannot_install=1
    else
        cannot_install=1
    fi
    if [ "${cannot_install:-0}" = 1 ]; then
        { have "${CXX:-c++}" && cmake_is_new_enough && have_python; } || advise
    fi
    python_environment
    configure
}

configure() {
    local arguments=(-S "$root" -B "$build" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
                     -DGROUPLINK_PYTHON="$venv/bin/python" -DPython3_EXECUTABLE="$venv/bin/python")
    if [ ! -e "$build/CMakeCache.txt" ] && have ninja; then arguments+=(-G Ninja); fi
    if have ccache; then arguments+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
    # Split at spaces on purpose: it is a list of arguments.
    # shellcheck disable=SC2206
    arguments+=(${GROUPLINK_CMAKE_ARGS:-})
    if [ "${cannot_install:-0}" = 1 ]; then
        say "Configuring in $build"
        cmake "${arguments[@]}" >"$build/bootstrap.log" 2>&1 || { cat "$build/bootstrap.log" >&2; advise; }
    else
        quiet_step "Configuring in $build" cmake "${arguments[@]}"
    fi
}

build() {
    deps
    step "Building" cmake --build "$build" --parallel "$jobs"
}

demo() {
    build
    local sample=$root/tests/data/sample.parquet links=$build/demo/links.parquet
    mkdir -p "$build/demo"
    step "Linking the words of $sample within their groups" \
        "$build/bin/grouplink" link "$sample" -o "$links" --group group --force
    step "Nearest words, with the weights of the links" \
        "$venv/bin/python" "$root/tests/data/show_links.py" "$sample" "$links"
}

# What tests look at pages with; where there is none they say so. Ubuntu's package is a snap, which does not
# run everywhere.
browser() {
    if have chromium || have chromium-browser || have google-chrome; then return; fi
    if have apt-get && grep -qx 'ID=debian' /etc/os-release; then ensure_packages chromium || true; fi
}

run_tests() {
    browser
    build
    test_tools
    step "Testing" ctest --test-dir "$build" --output-on-failure --no-tests=error --timeout 600 -j "$jobs"
}

# A wheel that bundles what it links, which must work by itself, and an environment with what it works with.
python_wheel() {
    build
    local wanted=$root/python/requirements.txt
    environment=$build/python-venv
    pip=("$environment/bin/python" -m pip --disable-pip-version-check)
    if ! cmp -s "$wanted" "$environment/requirements.txt"; then
        have_python || fail "no Python 3.9 or newer that can make a virtual environment: install python3-venv"
        rm -rf "$environment"
        quiet_step "Python environment in $environment" "${make_venv[@]}" "$environment"
        quiet_step "pip install: what the package is built and tested with" \
            "${pip[@]}" install --only-binary=:all: -r "$wanted"
        cp "$wanted" "$environment/requirements.txt"
    fi
    step "Wheel" env CMAKE_BUILD_PARALLEL_LEVEL="$jobs" "$environment/bin/python" \
        "$root/python/make_wheel.py" "$build/wheel" --cmake-args="${GROUPLINK_CMAKE_ARGS:-}"
    quiet_step "pip install: the wheel" \
        "${pip[@]}" install --no-deps --force-reinstall "$build"/wheel/repaired/grouplink-*.whl
    touch "$environment/wheel"
}

python_package() {
    python_wheel
    step "Types" "$environment/bin/mypy" --config-file "$root/python/pyproject.toml" --exclude /spark/ \
        "$root/python/grouplink"
    step "Style" "$environment/bin/ruff" check "$root/python"
    step "Formatting" "$environment/bin/ruff" format --check "$root/python"
    # Away from the sources, whose grouplink is not the installed one.
    cd "$build"
    step "Testing" env GROUPLINK="$build/bin/grouplink" "$environment/bin/pytest" -q "$root/python/tests" \
        --ignore "$root/python/tests/spark"
}

java_is_new_enough() {
    local version
    have java || return 1
    version=$(java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

# Whether the wheel in the environment is that of these sources.
wheel_is_up_to_date() {
    local made=$build/python-venv/wheel
    [ -e "$made" ] && cmp -s "$root/python/requirements.txt" "$build/python-venv/requirements.txt" &&
        [ -z "$(find "$root/engine" "$root/include" "$root/python" -newer "$made" -type f -not -path '*cache*' -print -quit)" ]
}

spark_package() {
    if ! java_is_new_enough; then
        have apt-get || fail "Spark runs on Java: install version 17 or newer"
        ensure_packages openjdk-17-jre-headless || fail "Spark runs on Java 17 or newer"
    fi
    if ! wheel_is_up_to_date; then python_wheel; fi
    environment=$build/python-venv
    local pip=("$environment/bin/python" -m pip --disable-pip-version-check)
    local wanted=$root/python/requirements-spark.txt
    if ! cmp -s "$wanted" "$environment/spark.txt"; then
        quiet_step "pip install: PySpark" "${pip[@]}" install -r "$wanted"
        cp "$wanted" "$environment/spark.txt"
    fi
    step "Types" "$environment/bin/mypy" --config-file "$root/python/pyproject.toml" "$root/python/grouplink"
    cd "$build"
    step "Testing on Spark" "$environment/bin/pytest" -q "$root/python/tests/spark"
}

sources() {
    find "$root/engine" "$root/include" "$root/tests" "$root/bench" "$root/python" -name build -prune -o \
        \( -name '*.cpp' -o -name '*.hpp' -o -name '*.inc' \) -print0
}

# clang_tool NAME VERSION: sets `tool`. Versions disagree on how code is formatted and on what is a finding,
# so each tool has one: the system's where it is that one, else its wheel.
clang_tool() {
    for tool in "$1" "$1-${2%%.*}" "$venv/bin/$1"; do
        if have "$tool" && [[ $("$tool" --version 2>&1) == *" $2"* ]]; then return; fi
    done
    python_environment
    quiet_step "pip install: $1 $2" \
        "$venv/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: "$1==$2"
    tool=$venv/bin/$1
}

format() {
    local mode=(--dry-run --Werror)
    if [ "${1:-}" = --fix ]; then mode=(-i); fi
    clang_tool clang-format 14.0.6
    say "Formatting: $tool ${mode[*]}"
    sources | xargs -0 "$tool" --style=file "${mode[@]}" ||
        fail "some files are not formatted: bash cmake/bootstrap.sh format --fix"
}

tidy() {
    deps
    clang_tool clang-tidy 18.1.8
    # GCC's omp.h, for a compiler that has none: after all other headers, and without the attributes that
    # Clang does not know.
    local gcc_headers=(--extra-arg=-idirafter"$("${CXX:-c++}" -print-file-name=include)"
                       --extra-arg="-D__malloc__(x)=" --extra-arg=-Wno-unknown-warning-option)
    say "clang-tidy: $tool"
    # The build knows nothing of the Python package.
    sources | grep -z '\.cpp$' | grep -vz "^$root/python/" | xargs -0 -P "$jobs" -n 1 \
        "$tool" -p "$build" --quiet --warnings-as-errors='*' "${gcc_headers[@]}" 2>/dev/null ||
        fail "clang-tidy has findings"
    say "no findings"
}

# Clang with its sanitizers, libFuzzer and OpenMP. Debian's own version, which is the one that is tested.
clang() {
    local missing=() package
    have apt-get || fail "install clang, its sanitizers' runtime and its OpenMP: this script does on Debian and Ubuntu"
    for package in clang-14 libclang-rt-14-dev libomp-14-dev; do
        installed $package || missing+=("$package")
    done
    ensure_packages "${missing[@]}" || fail "these could not be installed: ${missing[*]}"
    deps
}

case "${1:-}" in
    deps | build | demo | tidy | clang) "$1" ;;
    test) run_tests ;;
    python) python_package ;;
    spark) spark_package ;;
    format) format "${2:-}" ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
