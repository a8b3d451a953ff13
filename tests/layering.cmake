# Checks every #include line of src/ and include/ against the table of folders in docs/architecture.md.
# usage: cmake -D SOURCE_DIR=DIR -P layering.cmake
cmake_minimum_required(VERSION 3.25)

# The table of docs/architecture.md: | `folder` | holds | may use | its public headers |. Each folder uses only folders
# of the rows above its own; there is no way back up. To include a public header is to use the folder that implements it.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../docs/architecture.md rows REGEX "^\\| `[^`]+` \\|[^|]*\\|[^|]*\\|[^|]*\\|$")
set(folders)
set(implements_version.h base)  # generated
foreach(row IN LISTS rows)
  string(REGEX MATCH "^\\| `([^`]+)` \\|[^|]*\\| ?([^|]*) ?\\| ?([^|]*) ?\\|$" _ "${row}")
  set(folder ${CMAKE_MATCH_1})
  set(may_use "${CMAKE_MATCH_2}")
  set(headers "${CMAKE_MATCH_3}")
  if(may_use MATCHES "^everything above( but ([^;]*))?")
    string(REGEX MATCHALL "[a-z]+" but "${CMAKE_MATCH_2}")
    set(of_${folder} ${folders})
    list(REMOVE_ITEM of_${folder} but and ${but})
  else()
    string(REGEX MATCHALL "[a-z]+" of_${folder} "${may_use}")
  endif()
  foreach(used IN LISTS of_${folder})
    if(NOT used IN_LIST folders)
      message(SEND_ERROR "docs/architecture.md: ${used} is not above ${folder} in the table of folders")
    endif()
  endforeach()
  string(REGEX MATCHALL "[a-z_]+" names "${headers}")
  foreach(name IN LISTS names)
    set(implements_${name}.h ${folder})
  endforeach()
  list(APPEND folders ${folder})
endforeach()
if(NOT "main.cpp" IN_LIST folders)
  message(FATAL_ERROR "docs/architecture.md: the table of folders was not found, or its last row is not main.cpp")
endif()

# What comes from outside: a library's headers, and the only files that may name them. Everything else in angle brackets
# is the C++ library's, the C library's or the kernel's.
set(one_file_each
  "yaml-cpp/:src/document/yaml.cpp"
  "nlohmann/:src/document/json.cpp"
  "re2/:src/rule/pattern.cpp src/template/go/regex.cpp src/template/sprig/constraint.cpp"
  "pci/:src/host/pci_libpci.cpp"
  "libudev.h:src/system/udev_library.h"
  "libcpuid/:src/host/cpuid_libcpuid.cpp"
  "libdeflate.h:src/base/gunzip_libdeflate.cpp src/base/digest.cpp"
  "sha1.h:src/base/digest.cpp"
  "sha2.h:src/base/digest.cpp"
  "CLI/:src/cli/options.cpp"
  "spdlog/:src/agent/log.cpp"
  "cpprest/:src/kube/http_cpprest.cpp src/kube/cpprest_streams.h"
  "pplx/:src/kube/http_cpprest.cpp src/kube/metrics_server_asio.cpp"
  "boost/:src/kube/metrics_server_asio.cpp src/kube/http_cpprest.cpp"
  "openssl/:src/kube/tls_openssl.cpp src/kube/http_cpprest.cpp"
  "prometheus/:src/kube/metrics_prometheus.cpp")

set(mistakes 0)
function(mistake file line text)
  message(SEND_ERROR "${file}: ${line}\n  ${text}")
  math(EXPR mistakes "${mistakes} + 1")
  set(mistakes ${mistakes} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.cpp ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/include/*.h)
set(lines_seen 0)
foreach(file IN LISTS files)
  if(file MATCHES "^src/([^/]+)")
    set(folder ${CMAKE_MATCH_1})
    if(NOT folder IN_LIST folders)
      mistake(${file} "" "the folder ${folder} is not in the table of docs/architecture.md")
      continue()
    endif()
  else()
    string(REGEX REPLACE ".*/" "" name ${file})
    set(folder ${implements_${name}})
    if(NOT folder)
      mistake(${file} "" "${name} has no row in the table of docs/architecture.md")
      continue()
    endif()
  endif()
  file(STRINGS ${SOURCE_DIR}/${file} lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    math(EXPR lines_seen "${lines_seen} + 1")
    if(line MATCHES "\"([^/\"]+)/([^\"]+)\"")
      set(used ${CMAKE_MATCH_1})
      if(used STREQUAL "nodescout")
        set(used ${implements_${CMAKE_MATCH_2}})
      elseif(file MATCHES "^include/")
        mistake(${file} "${line}" "the headers of include/nodescout include nothing of src/")
        continue()
      endif()
      if(NOT used STREQUAL folder AND NOT used IN_LIST of_${folder})
        mistake(${file} "${line}" "${folder} may not use ${used}")
      endif()
    elseif(line MATCHES "<([^>]+)>")
      set(header ${CMAKE_MATCH_1})
      foreach(row IN LISTS one_file_each)
        string(REGEX MATCH "^([^:]+):(.*)$" _ "${row}")
        set(library ${CMAKE_MATCH_1})
        string(REPLACE " " ";" allowed "${CMAKE_MATCH_2}")
        string(FIND "${header}" "${library}" at)
        if(at EQUAL 0 AND NOT file IN_LIST allowed)
          mistake(${file} "${line}" "only ${CMAKE_MATCH_2} may use ${library}")
        endif()
      endforeach()
    elseif(NOT line MATCHES "\"[^/\"]+\\.inc\"")
      mistake(${file} "${line}" "write the folder: \"folder/file.h\"")
    endif()
  endforeach()
endforeach()
if(lines_seen EQUAL 0)
  message(FATAL_ERROR "${SOURCE_DIR}: not one #include line; is this the right folder?")
endif()
message(STATUS "${lines_seen} #include lines, ${mistakes} mistakes")
