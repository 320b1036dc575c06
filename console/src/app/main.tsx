// Start: ask who is logged in, then show the console or the login page.
import { render } from 'preact';
import { interceptLinks } from './router';
import { resume } from './session';
import { Shell } from './shell';

interceptLinks();
const root = document.getElementById('app');
if (root) render(<Shell />, root);
void resume();
