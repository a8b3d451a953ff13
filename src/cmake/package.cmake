# The Debian packages, by CPack: cpack --config BUILD/CPackConfig.cmake -B OUT, or ./dev package. nodescout is the
# program; libnodescout-dev is the static library. The files that only a Debian package has are in deploy/deb and
# deploy/systemd, and src/cmake/deb_layout.cmake puts them in place.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nodescout)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "find out what a machine is and label its Kubernetes Node")
set(CPACK_PACKAGE_CONTACT "nodescout maintainers <maintainers@users.noreply.github.com>" CACHE STRING
  "Maintainer of the Debian packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/src/cmake/deb_layout.cmake)
set(CPACK_NODESCOUT_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_NODESCOUT_PACKAGES nodescout libnodescout-dev)  # by component

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
if(CMAKE_CROSSCOMPILING)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${NODESCOUT_DEBIAN_ARCHITECTURE})
endif()

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME nodescout)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# Opened at first use and not linked, so dpkg-shlibdeps does not see them.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS libudev1)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libpci3, pci.ids, usb.ids")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS prometheus-node-exporter)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
"nodescout detects processors, GPUs, PCI and USB devices, memory, storage,
network, kernel and operating system, and turns that into labels,
annotations, taints and extended resources of a Kubernetes Node. It takes
the place of node-feature-discovery and of NVIDIA's gpu-feature-discovery.
.
For hosts without a kubelet the package contains a systemd timer, switched
off, that writes the labels as metrics for node_exporter, or as a file for
node-feature-discovery.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA conffiles postinst postrm prerm)
list(TRANSFORM CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA PREPEND ${PROJECT_SOURCE_DIR}/deploy/deb/)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libnodescout-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libyaml-cpp-dev, libre2-dev, libdeflate-dev, libmd-dev")
if(CPUID_FOUND)
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", libcpuid-dev")
endif()
set(CPACK_DEBIAN_DEV_DESCRIPTION
"nodescout detects the hardware and software of a machine and turns that into
labels of a Kubernetes Node.
.
This package contains the static library, the headers and the CMake package.
The interface may change with every version.")

include(CPack)
