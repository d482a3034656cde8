import { views } from './views.mjs';

views('desktop');
