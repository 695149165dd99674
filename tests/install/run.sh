#!/usr/bin/env bash
# Installs builds of grouplink into temporary folders and builds and runs, against each, the consumer
# projects beside this file; checks what was installed and what a shared library exports.
#
#     tests/install/run.sh BUILD...      BUILD: a build folder, shared or static, that is built
#
# The consumer that builds grouplink itself (add_subdirectory) takes its settings from BUILD.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/grouplink-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# check NAME COMMAND...: runs it, and shows what it printed when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "  ok    $name"
        passed=$((passed + 1))
    else
        echo "  FAIL  $name: $*"
        sed 's/^/        /' "$work/log"
        failed=$((failed + 1))
    fi
}

cached() {  # cached BUILD NAME: the value of a CMake variable
    sed -n "s/^$2:[A-Z]*=//p" "$1/CMakeCache.txt" | head -n 1
}

exports_only_grouplink() {
    local names
    names=$(nm -D --defined-only -C "$1" | cut -d' ' -f3-) || return 1
    grep -q '^grouplink::build_links(' <<<"$names" || { echo "build_links is not exported"; return 1; }
    ! grep -vE '^((typeinfo|typeinfo name|vtable) for )?grouplink::' <<<"$names"
}

find_package_consumer() {
    cmake -S "$here/find_package" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$prefix;$prefix_path" "${settings[@]}" &&
        cmake --build "$work/find_package" && "$work/find_package/consumer"
}

# The version file says no to what may have another interface: the next minor version.
refuses_next_minor() {
    mkdir -p "$work/refuse"
    cat >"$work/refuse/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(refuse LANGUAGES CXX)
find_package(grouplink 0.2 QUIET)
if(grouplink_FOUND)
  message(FATAL_ERROR "took ${grouplink_VERSION} for 0.2")
endif()
END
    cmake -S "$work/refuse" -B "$work/refuse/build" -DCMAKE_PREFIX_PATH="$prefix" "${settings[@]}"
}

pkgconfig_consumer() {
    cp -r "$here/main.cpp" "$here/pkgconfig" "$work/" &&
        make -C "$work/pkgconfig" CXX="$compiler" STATIC="$static" &&
        LD_LIBRARY_PATH="$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$work/pkgconfig/consumer"
}

add_subdirectory_consumer() {
    cmake -S "$here/add_subdirectory" -B "$work/add_subdirectory" "${settings[@]}" "${own_settings[@]}" &&
        cmake --build "$work/add_subdirectory" --parallel "$(nproc)" && "$work/add_subdirectory/consumer"
}

[ $# -gt 0 ] || { echo "usage: tests/install/run.sh BUILD..." >&2; exit 2; }
for build in "$@"; do
    build=$(cd "$build" && pwd)
    prefix=$work/prefix
    rm -rf "${work:?}"/*
    compiler=$(cached "$build" CMAKE_CXX_COMPILER)
    prefix_path=$(cached "$build" CMAKE_PREFIX_PATH)
    settings=(-G "$(cached "$build" CMAKE_GENERATOR)" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release)
    own_settings=()
    for name in BUILD_SHARED_LIBS GROUPLINK_PARQUET GROUPLINK_WERROR CMAKE_PREFIX_PATH CMAKE_CXX_COMPILER_LAUNCHER \
                GROUPLINK_PYTHON; do
        value=$(cached "$build" $name)
        [ -z "$value" ] || own_settings+=("-D$name=$value")
    done
    if [ "$(cached "$build" BUILD_SHARED_LIBS)" = ON ]; then static=""; kind=shared; else static=--static; kind=static; fi

    echo "$kind: $build"
    check "install" cmake --install "$build" --prefix "$prefix"
    pc=$(find "$prefix" -name grouplink.pc)
    libdir=$(dirname "$(dirname "$pc")")
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    check "headers" test -f "$prefix/include/grouplink/link.hpp"
    check "license" test -n "$(find "$prefix" -name LICENSE)"
    if [ "$(cached "$build" GROUPLINK_COMMAND)" = ON ]; then
        check "command runs" "$prefix/bin/grouplink" --version
        for file in man/man1/grouplink.1 bash-completion/completions/grouplink zsh/site-functions/_grouplink \
                    fish/vendor_completions.d/grouplink.fish; do
            check "share/$file" test -s "$prefix/share/$file"
        done
    fi
    [ "$kind" = static ] || check "exports grouplink alone" exports_only_grouplink "$libdir/libgrouplink.so"
    check "find_package" find_package_consumer
    check "find_package of the next minor version is refused" refuses_next_minor
    check "pkg-config" pkgconfig_consumer
    check "add_subdirectory" add_subdirectory_consumer
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
