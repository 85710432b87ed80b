/** Moves through the sample grids. Without scripts the last grid is shown. */
export const reportScript = `
const player = document.querySelector('.player');
if (player !== null) {
  const grids = [...document.querySelectorAll('.grids img')];
  const [button, slider, output] = player.children;
  let timer;
  const show = () => {
    grids.forEach((grid, index) => { grid.hidden = index !== Number(slider.value); });
    output.textContent = 'step ' + Number(grids[slider.value].dataset.step).toLocaleString('en-US');
  };
  const pause = () => { clearInterval(timer); timer = undefined; button.textContent = 'Play'; };
  slider.addEventListener('input', () => { pause(); show(); });
  button.addEventListener('click', () => {
    if (timer !== undefined) return pause();
    button.textContent = 'Pause';
    if (Number(slider.value) === grids.length - 1) slider.value = 0;
    show();
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === grids.length - 1) pause();
    }, 500);
  });
  player.hidden = false;
  show();
}
`;
