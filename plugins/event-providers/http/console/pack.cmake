# Compress the files below FROM into TO/gzip and write TO/console_files.c, which holds them and their table.
# cmake -DFROM=folder -DTO=folder -DGZIP=program -P pack.cmake
#
# The same files give the same bytes: no names and times in the gzip headers, paths in order. It fails on a
# file whose kind it does not know, because a browser would not take it without its type.
set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_txt "text/plain; charset=utf-8")

file(GLOB_RECURSE names RELATIVE "${FROM}" "${FROM}/*")
list(SORT names COMPARE STRING)
file(REMOVE_RECURSE "${TO}/gzip")
set(data "")
set(table "")
set(number 0)
foreach(name ${names})
  get_filename_component(folder "${TO}/gzip/${name}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  execute_process(COMMAND "${GZIP}" -n -9 -c "${FROM}/${name}" OUTPUT_FILE "${TO}/gzip/${name}.gz"
                  COMMAND_ERROR_IS_FATAL ANY)
  get_filename_component(kind "${name}" LAST_EXT)
  string(SUBSTRING "${kind}" 1 -1 kind)
  if(NOT DEFINED type_${kind})
    message(FATAL_ERROR "${name}: no Content-Type is known for .${kind}")
  endif()
  file(SIZE "${TO}/gzip/${name}.gz" size)
  file(SHA256 "${TO}/gzip/${name}.gz" hash)
  string(SUBSTRING "${hash}" 0 20 hash)
  string(APPEND data "FILE(file_${number}, \"${TO}/gzip/${name}.gz\")\n")
  string(APPEND table "    {\"/${name}\", \"${type_${kind}}\", \"\\\"${hash}\\\"\", file_${number}, ${size}},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${TO}/console_files.c" "/* Written by pack.cmake: the files of the console. */
#include \"console.h\"

#define FILE(name, path) \\
    extern const unsigned char name[] __attribute__((visibility(\"hidden\"))); \\
    __asm__(\".pushsection .rodata\\n.hidden \" #name \"\\n.global \" #name \"\\n\" #name \":\\n\" \\
            \".incbin \\\"\" path \"\\\"\\n.popsection\\n\");

${data}
const struct console_file console_files[] = {
${table}};
const size_t console_file_count = sizeof console_files / sizeof console_files[0];
")
