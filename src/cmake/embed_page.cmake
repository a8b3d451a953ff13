# The files of src/fleet/page -> one C++ source.
# usage: cmake -D OUT=FILE -D FOLDER=DIR -P embed_page.cmake
set(source "#include \"fleet/page.h\"\n\nnamespace nodescout::fleet {\n\n")
foreach(pair "kPageHtml:page.html" "kPageStyle:page.css" "kPageScript:page.js")
  string(REGEX MATCH "^(.*):(.*)$" _ ${pair})
  set(name ${CMAKE_MATCH_1})
  file(READ ${FOLDER}/${CMAKE_MATCH_2} text)
  if(text MATCHES "\\)page\"")
    message(FATAL_ERROR "${FOLDER}/${CMAKE_MATCH_2} contains )page\", which ends a raw string")
  endif()
  string(APPEND source "extern const std::string_view ${name};\nconst std::string_view ${name} = R\"page(${text})page\";\n\n")
endforeach()
file(WRITE ${OUT} "${source}}  // namespace nodescout::fleet\n")
