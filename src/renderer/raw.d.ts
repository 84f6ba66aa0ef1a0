/** Text files, as Vite hands them over. */
declare module '*?raw' {
  const text: string
  export default text
}
