/* Ice 3.6 includes a header that Python dropped in version 3.11. What it
   declared has moved to a header that Python.h includes. */
#include <Python.h>
