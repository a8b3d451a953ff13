# Who may include whom: the rules of docs/architecture.md, held against every #include line of src/ and include/.
# usage: cmake -D SOURCE_DIR=DIR -P layering.cmake
cmake_minimum_required(VERSION 3.25)

# The folder of src/ that implements each header of include/nodescout: to include one is to use that folder. version.h
# is generated.
set(public_headers
  "result.h:base"
  "sorted_map.h:base"
  "version.h:base"
  "features.h:feature"
  "origins.h:feature"
  "host.h:host"
  "gpu.h:gpu"
  "probes.h:probe"
  "rules.h:rule"
  "labels.h:label"
  "limits.h:label"
  "plan.h:plan")

# folder: the folders of src/ that it may use beside itself. Each folder uses only folders of the lines above it: there
# is no way back up.
set(may_use
  "base:"
  "document:base"
  "system:base"
  "feature:base document"
  "host:base document system"
  "gpu:base document feature host"
  "probe:base document feature host gpu"
  "template:base feature"
  "rule:base document feature template"
  "label:base feature rule"
  "plan:base document feature rule label"
  "keep:base document system feature probe template rule label plan"
  "config:base document system feature host gpu probe rule label"
  "corridor:base feature host probe rule label config"
  "kube:base document system"
  "publish:base document system feature label plan keep kube"
  "agent:base document system feature host gpu probe rule label plan keep config corridor kube publish"
  "cli:base document system feature host probe rule label plan keep config corridor kube publish agent"
  "main.cpp:cli host")

# What comes from outside: a library's headers, and the only files that may name them. Everything else in angle brackets
# is the C++ library's, the C library's or the kernel's.
set(one_file_each
  "yaml-cpp/:src/document/yaml.cpp"
  "nlohmann/:src/document/json.cpp"
  "re2/:src/rule/pattern.cpp src/template/go/regex.cpp src/template/sprig/constraint.cpp"
  "pci/:src/host/pci_libpci.cpp"
  "libudev.h:src/system/udev_library.h"
  "libcpuid/:src/host/cpuid_libcpuid.cpp"
  "libdeflate.h:src/host/gunzip_libdeflate.cpp src/base/digest.cpp"
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

set(folders)
foreach(row IN LISTS may_use)
  string(REGEX MATCH "^([^:]+):(.*)$" _ "${row}")
  set(folder ${CMAKE_MATCH_1})
  string(REPLACE " " ";" of_${folder} "${CMAKE_MATCH_2}")
  foreach(used IN LISTS of_${folder})
    if(NOT used IN_LIST folders)
      mistake(tests/layering.cmake "${row}" "${used} is not above ${folder} in the table")
    endif()
  endforeach()
  list(APPEND folders ${folder})
endforeach()
foreach(row IN LISTS public_headers)
  string(REGEX MATCH "^([^:]+):(.*)$" _ "${row}")
  set(implements_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()

file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.cpp ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/include/*.h)
set(lines_seen 0)
foreach(file IN LISTS files)
  if(file MATCHES "^src/([^/]+)")
    set(folder ${CMAKE_MATCH_1})
    if(NOT folder IN_LIST folders)
      mistake(${file} "" "the folder ${folder} is not in the table of tests/layering.cmake and of docs/architecture.md")
      continue()
    endif()
  else()
    string(REGEX REPLACE ".*/" "" name ${file})
    set(folder ${implements_${name}})
    if(NOT folder)
      mistake(${file} "" "${name} is not in the list of public headers of tests/layering.cmake")
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
