/* bench_campaign: `vsoc campaign score` as a program of its own, for long runs that want nothing else built. */
#include "app/campaign_commands.h"

int main(int argc, char **argv)
{
    return campaign_cmd_score(argc, argv);
}
