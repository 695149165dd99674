# cmake -DPYTHON=... -DANNOY_VERSION=... -DFOLDER=... -P fetch_annoy.cmake
# Leaves FOLDER/annoylib.h and FOLDER/kissrandom.h, from Annoy's source distribution.
if(EXISTS "${FOLDER}/annoylib.h" AND EXISTS "${FOLDER}/kissrandom.h")
  return()
endif()
set(download "${FOLDER}/download")
execute_process(
  COMMAND "${PYTHON}" -m pip download --quiet --no-deps --no-binary :all: --dest "${download}" "annoy==${ANNOY_VERSION}"
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "Annoy ${ANNOY_VERSION} could not be fetched with ${PYTHON} -m pip: set GROUPLINK_ANNOY_DIR to "
                      "a folder with its annoylib.h and kissrandom.h, or GROUPLINK_BENCH_ANNOY to OFF")
endif()
file(ARCHIVE_EXTRACT INPUT "${download}/annoy-${ANNOY_VERSION}.tar.gz" DESTINATION "${download}")
file(COPY "${download}/annoy-${ANNOY_VERSION}/src/annoylib.h" "${download}/annoy-${ANNOY_VERSION}/src/kissrandom.h"
     DESTINATION "${FOLDER}")
file(REMOVE_RECURSE "${download}")
