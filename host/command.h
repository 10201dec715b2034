/* SPDX-License-Identifier: BSD-2-Clause */
/* The sub-commands of `farbus`. Each gets its own name as argv[0] and returns the exit status. */
#ifndef FARBUS_HOST_COMMAND_H
#define FARBUS_HOST_COMMAND_H

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

int command_console(int argc, char **argv);
int command_discover(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_send(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_trace(int argc, char **argv);

#endif
