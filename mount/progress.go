package mount

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"omerods/internal/transfer"
)

// watchEnded is how many ended transfers are shown below the running ones.
const watchEnded = 5

// transfersText is a table of saves and loads.
func transfersText(list []transfer.Record) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tSTATE\tFILES\tBYTES\tRATE\tLEFT\tSINCE\tPATH")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Direction, r.State, filesText(r), bytesText(r),
			rateText(r), leftText(r), r.Started.Local().Format(time.DateTime), r.Path)
		if r.Object != "" && r.Direction == transfer.ToOMERO && r.State == transfer.StateFinished {
			fmt.Fprintf(w, "\t\t\t\t\t\t\tis now %s\n", r.Object)
		}
		for _, t := range []string{r.Reason, r.Note} {
			for line := range strings.Lines(t) { // one for each of several errors
				fmt.Fprintf(w, "\t\t\t\t\t\t\t%s\n", strings.TrimSpace(line))
			}
		}
	}
	w.Flush()
	return b.String()
}

// A transfer whose size nobody knows yet has a "?" for it.
func filesText(r transfer.Record) string {
	if r.Running() && r.Files == 0 {
		return fmt.Sprintf("%d/?", r.FilesDone)
	}
	return fmt.Sprintf("%d/%d", r.FilesDone, r.Files)
}

func bytesText(r transfer.Record) string {
	text := humanBytes(r.BytesDone) + "/"
	if r.Running() && r.Bytes == 0 {
		return text + "?"
	}
	text += humanBytes(r.Bytes)
	if r.Running() && r.Direction == transfer.ToOMERO && r.BytesDone > 0 && !r.Through() {
		text += " (" + humanBytes(r.BytesSent) + " in OMERO)"
	}
	return text
}

func rateText(r transfer.Record) string {
	switch {
	case r.Running() && r.Rate > 0:
		return humanBytes(r.Rate) + "/s"
	case r.Running():
		return "-"
	}
	// Over the whole time of one that has ended.
	if took := r.Changed.Sub(r.Started).Seconds(); took >= 1 && r.BytesDone > 0 && r.State == transfer.StateFinished {
		return humanBytes(int64(float64(r.BytesDone)/took)) + "/s"
	}
	return ""
}

func leftText(r transfer.Record) string {
	switch {
	case !r.Running():
		return ""
	case r.SecondsLeft > 0:
		return (time.Duration(r.SecondsLeft) * time.Second).String()
	case r.Through():
		return "ending" // it is verified, or made in OMERO
	}
	return "-"
}

// ProgressText is one line about a transfer.
func ProgressText(r transfer.Record) string {
	b := fmt.Sprintf("%s %s: %s files, %s", r.Path, r.State, filesText(r), bytesText(r))
	if t := rateText(r); t != "" && t != "-" {
		b += ", " + t
	}
	switch t := leftText(r); t {
	case "", "-":
	case "ending":
		b += ", ending"
	default:
		b += ", " + t + " left"
	}
	if !r.Running() && r.Reason != "" {
		b += ": " + strings.Join(strings.Fields(r.Reason), " ")
	}
	return b
}

// WatchText is the status for a screen of so many lines and columns that shows
// it again and again: the running transfers, and the last that have ended.
func (s Status) WatchText(lines, columns int) string {
	shown := s
	shown.Transfers = nil
	for _, running := range []bool{true, false} {
		n := 0
		for _, r := range s.Transfers {
			if r.Running() == running && (running || n < watchEnded) {
				shown.Transfers = append(shown.Transfers, r)
				n++
			}
		}
	}
	all := strings.Split(strings.TrimRight(shown.Text(), "\n"), "\n")
	if lines > 1 && len(all) > lines-1 {
		all = append(all[:lines-2], fmt.Sprintf("… %d more lines", len(all)-lines+2))
	}
	for i, l := range all {
		if r := []rune(l); columns > 0 && len(r) > columns {
			all[i] = string(r[:columns-1]) + "…"
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// Watcher turns one status after the other into lines for a log: one for each
// transfer that has changed.
type Watcher struct{ told map[string]string }

// Lines returns what is new.
func (w *Watcher) Lines(s Status) []string {
	first := w.told == nil
	if first {
		w.told = map[string]string{}
	}
	var out []string
	for i := len(s.Transfers) - 1; i >= 0; i-- { // the latest comes first
		r := s.Transfers[i]
		line := ProgressText(r)
		if w.told[r.ID] != line && (r.Running() || !first) {
			out = append(out, line)
		}
		w.told[r.ID] = line
	}
	return out
}
