#!/usr/bin/env node
import { startProgram } from '../dist/cli/start.js';

await startProgram();
