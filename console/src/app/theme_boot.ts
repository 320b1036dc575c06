// Runs before the first paint, so that a stored theme does not flash. Not a module: it must not wait.
try {
  const theme = localStorage.getItem('vsoc.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset['theme'] = theme;
} catch {
  // Storage is switched off: the system's theme applies.
}
