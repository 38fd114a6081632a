// The editor: Ctrl+Enter runs, as in other editors.

const editor = document.getElementById("sql");
editor.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    editor.form.requestSubmit();
  }
});
