import { existsSync } from 'node:fs'
import { findBrowser } from '../../src/main/daemon/find-display-host.ts'

/** The Chromium that displays are drawn with: ELSEWHERE_CHROMIUM, else the one `npm start` would find. */
export const CHROMIUM = process.env.ELSEWHERE_CHROMIUM ?? findBrowser(process.env) ?? '/usr/bin/chromium'

/** Why no display can be drawn here; undefined where it can. */
export const whyNoBrowser = existsSync(CHROMIUM) ? undefined : `there is no Chromium at ${CHROMIUM}`
