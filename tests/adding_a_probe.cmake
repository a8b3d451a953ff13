# Makes the files of docs/adding-a-probe.md, so that they can be built as they are written there.
# usage: cmake -D SOURCE_DIR=DIR -D OUT=DIR -P adding_a_probe.cmake
cmake_minimum_required(VERSION 3.25)

file(READ ${SOURCE_DIR}/docs/adding-a-probe.md page)
string(ASCII 96 tick)
string(REPEAT "${tick}" 3 fence)

# The block below the first mention of a path.
function(block_of path into)
  string(FIND "${page}" "${tick}${path}${tick}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "docs/adding-a-probe.md does not mention ${path}")
  endif()
  string(SUBSTRING "${page}" ${at} -1 rest)
  string(FIND "${rest}" "${fence}" start)
  string(SUBSTRING "${rest}" ${start} -1 rest)
  string(FIND "${rest}" "\n" start)
  math(EXPR start "${start} + 1")
  string(SUBSTRING "${rest}" ${start} -1 rest)
  string(FIND "${rest}" "${fence}" length)
  string(SUBSTRING "${rest}" 0 ${length} block)
  set(${into} "${block}" PARENT_SCOPE)
endfunction()

foreach(path src/probe/cxl.cpp tests/probe/cxl_test.cpp)
  block_of(${path} block)
  file(WRITE ${OUT}/${path} "${block}")
endforeach()

# The lines of the catalog take the place of the first of them.
block_of(src/probe/catalog.inc lines)
string(FIND "${lines}" "\n" length)
string(SUBSTRING "${lines}" 0 ${length} first)
file(READ ${SOURCE_DIR}/src/probe/catalog.inc catalog)
string(REPLACE "${first}\n" "${lines}" changed "${catalog}")
if(changed STREQUAL catalog)
  message(FATAL_ERROR "src/probe/catalog.inc has no line ${first}")
endif()
file(WRITE ${OUT}/src/probe/catalog.inc "${changed}")
foreach(file catalog.h catalog.cpp)
  file(COPY ${SOURCE_DIR}/src/probe/${file} DESTINATION ${OUT}/src/probe)
endforeach()
