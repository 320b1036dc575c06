/* campaign_commands: the verbs of `vsoc campaign`. argv[0] is the verb; the exit code is that of the program. */
#ifndef APP_CAMPAIGN_COMMANDS_H
#define APP_CAMPAIGN_COMMANDS_H

int campaign_cmd_baseline(int argc, char **argv);
int campaign_cmd_list(int argc, char **argv);
int campaign_cmd_score(int argc, char **argv);

#endif
