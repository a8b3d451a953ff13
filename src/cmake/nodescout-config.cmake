# find_package(nodescout): the target nodescout::nodescout. The ABI changes with every version, so link what you
# compile.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/nodescout-targets.cmake)
