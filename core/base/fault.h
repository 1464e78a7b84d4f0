/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_FAULT_H
#define MAILHAUL_BASE_FAULT_H

/* A place between two effects where a run may be cut off. In builds with
   MAILHAUL_FAULTS every pass counts one step; $MAILHAUL_FAULT=N kills the
   process (SIGKILL, as a power cut would, or $MAILHAUL_FAULT_SIGNAL) at step N,
   and $MAILHAUL_FAULT_LOG names a file that gets one line "N name" a step, so
   that a sweep can assert how many there were. Elsewhere it is nothing.

   A new way to stop between two effects gets a new point: "module.step". */
#ifdef MAILHAUL_FAULTS
void fault_point(const char *name);
/* This process takes over from one that died: with $MAILHAUL_FAULT_ONCE it does
   not die at such a point itself. Call it before the first. */
void fault_take_over(void);
#else
#define fault_point(name) ((void)0)
#define fault_take_over() ((void)0)
#endif

#endif
