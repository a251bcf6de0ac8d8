# What muster stands on. All are Debian packages; the README lists them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(event REQUIRED IMPORTED_TARGET libevent_core>=2.1)
pkg_check_modules(event_pthreads REQUIRED IMPORTED_TARGET libevent_pthreads>=2.1)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares>=1.18)
pkg_check_modules(cbor REQUIRED IMPORTED_TARGET libcbor>=0.8)

find_path(LMDB_INCLUDE_DIR lmdb.h REQUIRED)
find_library(LMDB_LIBRARY lmdb REQUIRED)
add_library(LMDB::LMDB UNKNOWN IMPORTED)
set_target_properties(LMDB::LMDB PROPERTIES IMPORTED_LOCATION ${LMDB_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${LMDB_INCLUDE_DIR})
