// Runs before the first paint, so that a chosen theme does not flash in the other one. Not a module: those run late.
(function () {
  try {
    var theme = localStorage.getItem("v2v.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (refused) {
    // No storage: the page's default theme stays.
  }
})();
