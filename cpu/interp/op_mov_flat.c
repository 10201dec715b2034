/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers of op_mov.c for flat segments. */
#define OP_FLAT
#include "cpu/interp/op_mov.c"
