// One process, one journey after the other: the machine that runs this has two processors.
import './contract.test.mjs';
import './frame.test.mjs';
import './journey.test.mjs';
import './economy.test.mjs';
import './campaign.test.mjs';
import './live.test.mjs';
import './url.test.mjs';
import './screens.test.mjs';
import './axe.test.mjs';
