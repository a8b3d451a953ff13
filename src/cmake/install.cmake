# What `cmake --install` puts where. The program finds its module at ../lib/nodescout (src/kube/module.cpp), so neither
# depends on the prefix.
install(TARGETS nodescout RUNTIME DESTINATION bin)
install(TARGETS nodescout_kube LIBRARY DESTINATION lib/nodescout)

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
install(FILES LICENSE DESTINATION share/doc/nodescout)
