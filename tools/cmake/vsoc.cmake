# Shared build rules: the warning set, and one function each for a layer, a program and a unit test.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_compile_definitions(_GNU_SOURCE)
set(VSOC_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla
  -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wdouble-promotion -Wnull-dereference)
set(VSOC_C_WARNINGS -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wbad-function-cast)
if(VSOC_WERROR)
  list(APPEND VSOC_WARNINGS -Werror)
endif()
add_compile_options(${VSOC_WARNINGS} "$<$<COMPILE_LANGUAGE:C>:${VSOC_C_WARNINGS}>" -fno-common -fno-strict-aliasing)
if(VSOC_SANITIZE)
  add_compile_options(-fsanitize=${VSOC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VSOC_SANITIZE})
endif()
# Asserts stay on in every build type: a bug must stop at the place where it is seen.
foreach(flags RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${flags} "${CMAKE_C_FLAGS_${flags}}")
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_${flags} "${CMAKE_CXX_FLAGS_${flags}}")
endforeach()

# vsoc_layer(name [SOURCES..] [LINKS..]): a static library whose headers are included as "folder/file.h" from src/.
function(vsoc_layer name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(${name} PUBLIC ${A_LINKS})
endfunction()

# vsoc_program(name [SOURCES..] [LINKS..]): goes to <build>/bin.
function(vsoc_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(${name} PRIVATE ${A_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()

# vsoc_test(name SOURCES.. LINKS.. [LABELS..]): one cmocka program, run by ctest from the source tree's root.
function(vsoc_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests/unit")
  target_link_libraries(${name} PRIVATE ${A_LINKS} PkgConfig::CMOCKA)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS "unit;${A_LABELS}")
endfunction()

# vsoc_fuzz(name SOURCES.. LINKS..): one libFuzzer target per parser, with its corpus in fuzz/corpus/<name>.
function(vsoc_fuzz name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(fuzz_${name} ${A_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ${A_LINKS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
endfunction()
