/* commands: the nouns of `vsoc`. Each gets argv from its own name on and returns the exit code: 0 ok, 1 findings or
 * failed checks, 2 bad usage or bad input. Each is in cmd_<noun>.c and has a row in vsoc.c. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

int cmd_campaign(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_dbc(int argc, char **argv);
int cmd_eth(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_mapping(int argc, char **argv);
int cmd_intel(int argc, char **argv);
int cmd_pki(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_rule(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_user(int argc, char **argv);

#endif
