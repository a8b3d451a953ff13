set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME runtime)
# What `cmake --install` puts where. The program finds its module at ../lib/nodescout (src/kube/module.cpp), so neither
# depends on the prefix.
install(TARGETS nodescout RUNTIME DESTINATION bin)
install(TARGETS nodescout_kube LIBRARY DESTINATION lib/nodescout)
# The names by which kubectl finds a plugin and its completion; the program checks the name by which it was started.
set(plugin_names ${PROJECT_BINARY_DIR}/generated/plugin)
file(MAKE_DIRECTORY ${plugin_names})
foreach(name kubectl-nodescout kubectl_complete-nodescout)
  file(CREATE_LINK nodescout ${plugin_names}/${name} SYMBOLIC)
  install(FILES ${plugin_names}/${name} DESTINATION bin)
  file(WRITE ${plugin_names}/${name}.1 ".so man1/nodescout.1\n")
  install(FILES ${plugin_names}/${name}.1 DESTINATION share/man/man1)
endforeach()

# Printed by the program itself, so that they say what it does.
set(completions ${PROJECT_BINARY_DIR}/generated/completions)
file(MAKE_DIRECTORY ${completions})
add_custom_command(
  OUTPUT generated/nodescout.1 ${completions}/nodescout.bash ${completions}/_nodescout ${completions}/nodescout.fish
  COMMAND nodescout manual > generated/nodescout.1
  COMMAND nodescout completion bash > ${completions}/nodescout.bash
  COMMAND nodescout completion zsh > ${completions}/_nodescout
  COMMAND nodescout completion fish > ${completions}/nodescout.fish
  DEPENDS nodescout
  VERBATIM)
add_custom_target(nodescout_manual ALL DEPENDS generated/nodescout.1)

install(FILES ${PROJECT_BINARY_DIR}/generated/nodescout.1 DESTINATION share/man/man1)
install(FILES ${completions}/nodescout.bash DESTINATION share/bash-completion/completions RENAME nodescout)
install(FILES ${completions}/_nodescout DESTINATION share/zsh/site-functions)
install(FILES ${completions}/nodescout.fish DESTINATION share/fish/vendor_completions.d)
# To read: the program has them built in.
install(FILES ${NODESCOUT_RULES} DESTINATION share/nodescout/rules)
install(FILES LICENSE deploy/NOTICE DESTINATION share/doc/nodescout)

# The static library for programs outside, in a component of its own that a plain `cmake --install` leaves out:
# cmake --install BUILD --component dev
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/nodescout-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
set(development lib/cmake/nodescout)
install(TARGETS nodescout_core nodescout_yaml nodescout_re2 nodescout_cpuid nodescout_deflate nodescout_md
  EXPORT nodescout-targets
  ARCHIVE DESTINATION lib COMPONENT dev EXCLUDE_FROM_ALL)
install(EXPORT nodescout-targets NAMESPACE nodescout:: DESTINATION ${development} COMPONENT dev EXCLUDE_FROM_ALL)
install(FILES src/cmake/nodescout-config.cmake ${PROJECT_BINARY_DIR}/generated/nodescout-config-version.cmake
  DESTINATION ${development} COMPONENT dev EXCLUDE_FROM_ALL)
install(DIRECTORY include/nodescout DESTINATION include COMPONENT dev EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_BINARY_DIR}/generated/nodescout/version.h
  DESTINATION include/nodescout COMPONENT dev EXCLUDE_FROM_ALL)
