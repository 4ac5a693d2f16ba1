/* Ice 3.6 includes this header, which Python dropped in version 3.11; what it
   declared has long been in Python.h. */
#include <Python.h>
