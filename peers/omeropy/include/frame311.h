/* Included before everything else when Ice 3.6 for Python is compiled. It asks
   the state of a thread for its frame, to name a function in an error; since
   3.11 Python gives the frame by a call. */
#ifndef OMERODS_FRAME311_H
#define OMERODS_FRAME311_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#if PY_VERSION_HEX >= 0x030b0000
struct omerods_thread_state { PyFrameObject *frame; };
static inline struct omerods_thread_state *omerods_thread_state(void)
{
    static __thread struct omerods_thread_state state;
    state.frame = PyThreadState_GetFrame(PyThreadState_Get());
    return &state;
}
#undef PyThreadState_GET
#define PyThreadState_GET() omerods_thread_state()
#endif
#endif
