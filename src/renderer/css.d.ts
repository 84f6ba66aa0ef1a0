/** Style sheets are imported for their effect; Vite turns them into files. */
declare module '*.css'
declare module '@fontsource-variable/inter'
declare module '@fontsource-variable/jetbrains-mono'
