# Runs between CPack's installation and its packaging: what Debian wants in another place or form than `cmake --install`
# gives it, and what only its packages have.
foreach(component package IN ZIP_LISTS CPACK_COMPONENTS_ALL CPACK_NODESCOUT_PACKAGES)
  set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component})
  set(documents ${root}/usr/share/doc/${package})
  file(MAKE_DIRECTORY ${documents})

  file(COPY_FILE ${CPACK_NODESCOUT_SOURCE}/deploy/deb/copyright ${documents}/copyright)
  file(COPY_FILE ${CPACK_NODESCOUT_SOURCE}/docs/CHANGELOG.md ${documents}/changelog)

  # The revision's time, so that the same revision gives the same package.
  set(epoch 0)
  if(DEFINED ENV{SOURCE_DATE_EPOCH})
    set(epoch $ENV{SOURCE_DATE_EPOCH})
  endif()
  execute_process(COMMAND date --utc --date @${epoch} "+%a, %d %b %Y %H:%M:%S +0000"
    OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${documents}/changelog.Debian
"nodescout (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Release ${CPACK_PACKAGE_VERSION}; changelog.gz says what changed.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
  file(COPY_FILE ${CPACK_NODESCOUT_SOURCE}/deploy/deb/lintian-overrides
    ${root}/usr/share/lintian/overrides/${package})

  if(component STREQUAL runtime)
    file(REMOVE ${documents}/LICENSE)  # copyright refers to Debian's copy of it
    # Where Debian's zsh looks.
    file(RENAME ${root}/usr/share/zsh/site-functions ${root}/usr/share/zsh/vendor-completions)
    foreach(unit service timer)
      file(COPY ${CPACK_NODESCOUT_SOURCE}/deploy/systemd/nodescout.${unit} DESTINATION ${root}/lib/systemd/system)
    endforeach()
    file(COPY ${CPACK_NODESCOUT_SOURCE}/deploy/systemd/write-labels DESTINATION ${root}/usr/lib/nodescout)
    file(MAKE_DIRECTORY ${root}/etc/default)
    file(COPY_FILE ${CPACK_NODESCOUT_SOURCE}/deploy/systemd/nodescout.default ${root}/etc/default/nodescout)
  endif()

  # Whatever the umask and the checkout are.
  file(GLOB_RECURSE files LIST_DIRECTORIES true ${root}/*)
  set(to_compress)
  foreach(file ${files})
    if(IS_DIRECTORY ${file} OR file MATCHES "/usr/bin/|/write-labels$")
      file(CHMOD ${file}
        PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    else()
      file(CHMOD ${file} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
      if(file MATCHES "/man/man1/[^/]*$|/changelog(.Debian)?$")
        list(APPEND to_compress ${file})
      endif()
    endif()
  endforeach()
  execute_process(COMMAND gzip -9nf ${to_compress} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
