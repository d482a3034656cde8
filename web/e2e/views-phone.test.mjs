import { views } from './views.mjs';

views('phone');
