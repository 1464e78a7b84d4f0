/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_FAULT_H
#define MAILHAUL_BASE_FAULT_H

/* A place between two effects where a run may be cut off. In builds with
   MAILHAUL_FAULTS every pass counts one step; $MAILHAUL_FAULT=N kills the
   process (SIGKILL, as a power cut would) at step N, and $MAILHAUL_FAULT_LOG
   names a file that gets one line "N name" a step, so that a sweep can assert
   how many there were. Elsewhere it is nothing.

   A new way to stop between two effects gets a new point: "module.step". */
#ifdef MAILHAUL_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
