package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// ReadExportedCCGLog is wevtutil epl on one host and Get-WinEvent -Path of the file on another, the reader. An exported log has numbers; the texts
// are in the provider's manifest on the computer where somebody reads, which Windows has from build 17763 on and ImportCCGManifest brings.
func (h *Host) ReadExportedCCGLog(reader *Host) (string, error) {
	text := h.CCGLog()
	if reader.knowsCCGEvents() {
		return text, nil
	}
	var ids []string
	for _, e := range h.d.Events() {
		if id, ok := strings.CutPrefix(e.Text, ccgLogName+" "); ok && e.Op == opEventLog && e.From == h.Name() {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			text = strings.Replace(text, e.Detail, withoutDescription(id), 1)
		}
	}
	if len(ids) == 0 {
		return text, nil
	}
	return text, h.d.explain(&stepError{step: stepProcess, logon: reader.machine, err: &eventTextError{h, reader, ids}})
}

func withoutDescription(id string) string {
	return fmt.Sprintf("The description for Event ID %s from source Microsoft-Windows-Containers-CCG cannot be found.", id)
}

// knowsCCGEvents tells whether the host has the texts of the events of Container Credential Guard. That the Containers feature is installed is
// taken for granted.
func (h *Host) knowsCCGEvents() bool {
	sys := h.machineSystem()
	release, err := sys.release()
	return sys.ccgManifest || err == nil && release.Build >= windows.Build1809
}

// ImportCCGManifest is wevtutil im CCGEvents.man.
func (h *Host) ImportCCGManifest() {
	h.mu.Lock()
	h.sys.ccgManifest = true
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "wevtutil im CCGEvents.man"})
}

// eventTextError: a log is read on a computer that does not have the texts of its events.
type eventTextError struct {
	log, reader *Host
	ids         []string
}

func (e *eventTextError) Error() string { return withoutDescription(e.ids[0]) }

func (e *eventTextError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.EventTextMissing, Mode: "os-ccg-log-unreadable",
		Facts:   []diag.Fact{{Name: "log of", Value: e.log.Name()}, {Name: "read on", Value: e.reader.Name()}, {Name: "events", Value: strings.Join(e.ids, ", ")}},
		SeenAs:  []string{e.Error()},
		Because: "an exported log holds numbers and values; the texts come from the manifest of the provider on the computer that reads, and a Windows without Container Credential Guard has none",
		Help: []diag.Help{{Text: "bring the manifest of the provider to this computer, or read the log on a container host", Command: "wevtutil im CCGEvents.man",
			Do: []string{flowStep("importCCGManifest", arg{"", e.reader.Name()})}}},
	}
}
